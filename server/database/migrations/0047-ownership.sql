-- Whose a key is, and what has become of it. A wallet has its key's owner; it is here twice, so that
-- the lists of an end user are read from one index.
alter table keys add column owner bytea;
alter table keys add column delegable_by bytea;
alter table keys add column deleted_at int8;
alter table wallets add column tags text not null default '[]';
alter table wallets add column owner bytea;

create index keys_by_owner on keys (organization, owner, created_at, id);

create index wallets_by_owner on wallets (organization, owner, created_at, id);
