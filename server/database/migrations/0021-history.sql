-- Which networks are followed, by whom at the moment, and what is wrong with one.
create table chain_heads (
  network text not null,
  lease_holder text not null,
  lease_until int8 not null,
  condition text,
  condition_since int8,
  primary key (network)
);

-- Nothing is deleted by a reorganization: blocks stop being canonical, and may be so again.
create table block_headers (
  network text not null,
  hash text not null,
  number int8 not null,
  parent_hash text not null,
  time int8 not null,
  canonical boolean not null,
  primary key (network, hash)
);

create index block_headers_by_number on block_headers (network, canonical, number);

create table history (
  organization bytea not null,
  wallet bytea not null,
  id bytea not null,
  network text not null,
  block_hash text not null,
  block_number int8 not null,
  hash text not null,
  index int4 not null,
  kind text not null,
  direction text not null,
  sender text not null,
  recipient text,
  value text not null,
  fee text not null,
  time int8 not null,
  canonical boolean not null,
  primary key (organization, wallet, id)
);

create index history_by_number on history (organization, wallet, canonical, block_number, id);

create index history_by_block on history (network, block_hash);
