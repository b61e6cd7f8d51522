-- What leaves a wallet, from the request to the chain's last word. Work is rows with a lease.
create table outgoing (
  organization bytea not null,
  id bytea not null,
  kind text not null,
  name text not null,
  wallet bytea not null,
  wallet_id text not null,
  key bytea not null,
  public_key bytea not null,
  network text not null,
  address text not null,
  request bytea not null,
  user_id text not null,
  token_id text,
  external_id text,
  evidence bytea not null,
  execute_before int8 not null,
  names_slot boolean not null,
  state text not null,
  reason text,
  waiting text,
  slot int8,
  facts bytea,
  cost text,
  signed bytea,
  hash text,
  block_hash text,
  block_number int8,
  fee text,
  attempts int4 not null,
  due_at int8,
  lease_holder text,
  lease_until int8 not null,
  created_at int8 not null,
  broadcasted_at int8,
  confirmed_at int8,
  primary key (organization, id)
);

create unique index outgoing_by_name on outgoing (organization, name);

create index outgoing_by_wallet on outgoing (organization, wallet, kind, created_at, id);

create index outgoing_by_due on outgoing (due_at) where due_at is not null;

create index outgoing_by_address on outgoing (network, address, state, created_at);

create index outgoing_by_block on outgoing (network, block_hash) where block_hash is not null;

-- One row for each address, locked while its next slot is looked for.
create table slot_queues (
  network text not null,
  address text not null,
  primary key (network, address)
);

-- Which slot belongs to which request. Two share one only where a payload named it.
create table slots (
  network text not null,
  address text not null,
  slot int8 not null,
  request bytea not null,
  primary key (network, address, slot, request)
);

create index slots_by_request on slots (request);
