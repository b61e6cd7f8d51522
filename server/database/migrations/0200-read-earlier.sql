-- Down to which block a chain was read, and the hash of the one before; null: down to the first that is held.
alter table chain_heads add column read_from int8;
alter table chain_heads add column read_after text;

-- What was there when the watching began: less of it is unexplained with every earlier block that is read.
alter table history add column opening boolean not null default false;

update history set opening = true where (organization, wallet, id) in (
  select distinct on (organization, wallet) organization, wallet, id
  from history where hash is null order by organization, wallet, block_number, id);

create index history_openings on history (organization, wallet) where opening;
