-- What the operator says of tokens, and whether their contracts agree. Follows his file at every start.
create table listed_assets (
  network text not null,
  contract text not null,
  kind text not null,
  symbol text not null,
  decimals int4,
  checked_at int8,
  contradiction text,
  primary key (network, contract)
);

create index listed_assets_unchecked on listed_assets (network) where checked_at is null;
