-- What the root streams say, for lists and lookups. Written from certified steps and from nothing
-- else, so that all of it could be made again; who may do what is decided by records alone.
create table root_applied (
  organization bytea not null,
  seq int8 not null,
  primary key (organization)
);

create table organizations (
  id bytea not null,
  org_id text not null,
  name text not null,
  created_at int8 not null,
  primary key (id)
);

create unique index organizations_by_name on organizations (org_id);

create table users (
  organization bytea not null,
  id bytea not null,
  user_id text not null,
  kind text not null,
  username text not null,
  external_id text,
  created_at int8 not null,
  primary key (organization, id)
);

create unique index users_by_name on users (organization, user_id);

create index users_by_username on users (organization, kind, username);

create index users_by_time on users (organization, kind, created_at, id);

create table credentials (
  organization bytea not null,
  id bytea not null,
  cred_id text not null,
  "user" bytea not null,
  token bytea,
  fingerprint bytea not null,
  public_key text not null,
  created_at int8 not null,
  primary key (organization, id)
);

create index credentials_by_user on credentials (organization, "user", cred_id);

create table tokens (
  organization bytea not null,
  id bytea not null,
  token_id text not null,
  "user" bytea not null,
  credential bytea not null,
  created_at int8 not null,
  expires_at int8 not null,
  primary key (organization, id)
);

create index tokens_by_user on tokens (organization, "user", created_at);

create table permissions (
  organization bytea not null,
  id bytea not null,
  created_at int8 not null,
  primary key (organization, id)
);

create index permissions_by_time on permissions (organization, created_at, id);

create table keys (
  organization bytea not null,
  id bytea not null,
  key_id text not null,
  name text,
  scheme text not null,
  curve text not null,
  public_key bytea not null,
  certificate bytea not null,
  created_at int8 not null,
  primary key (organization, id)
);

create unique index keys_by_name on keys (organization, key_id);

create index keys_by_time on keys (organization, created_at, id);

create table wallets (
  organization bytea not null,
  id bytea not null,
  wallet_id text not null,
  key bytea not null,
  network text not null,
  address text,
  name text,
  external_id text,
  created_at int8 not null,
  primary key (organization, id)
);

create unique index wallets_by_name on wallets (organization, wallet_id);

create index wallets_by_time on wallets (organization, created_at, id);

create index wallets_by_key on wallets (organization, key, network);

-- The watchers of a chain look for owners of addresses, whosever they are.
create index wallets_by_address on wallets (network, address);

-- Of two that want one name, the first row wins; it lapses unless its request came into force.
create table service_account_names (
  organization bytea not null,
  name text not null,
  request bytea not null,
  lapses_at int8,
  primary key (organization, name)
);
