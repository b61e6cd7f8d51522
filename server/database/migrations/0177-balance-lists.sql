-- What is shown of a balance, and counted in its organization's total, also while it is compared anew.
alter table balances add column held numeric not null default 0;

update balances set held = balance::numeric where balance is not null;

-- An organization's list, in its order, and that of one network.
create index balances_held on balances (organization, wallet, kind, contract, token_id)
  where held <> 0;

create index balances_held_by_network on balances
  (organization, network, wallet, kind, contract, token_id) where held <> 0;

-- All that an organization holds of an asset; pieces of a collection are counted together.
create table balance_totals (
  organization bytea not null,
  network text not null,
  kind text not null,
  contract text not null,
  token_id text not null,
  amount numeric not null,
  wallets int8 not null,
  primary key (organization, network, kind, contract, token_id)
);

create index balance_totals_held on balance_totals
  (organization, network, kind, contract, token_id) where amount <> 0;

insert into balance_totals
  select organization, network, kind, contract, case kind when 'Erc721' then '' else token_id end,
    sum(held), count(*)
  from balances where held <> 0
  group by 1, 2, 3, 4, 5;
