create table signature_requests (
  organization bytea not null,
  id bytea not null,
  signature_id text not null,
  key bytea not null,
  wallet bytea,
  network text,
  user_id text not null,
  token_id text,
  evidence bytea not null,
  external_id text,
  status text not null,
  reason text,
  result text,
  requested_at int8 not null,
  signed_at int8,
  primary key (organization, id)
);

create unique index signature_requests_by_name on signature_requests (organization, signature_id);

create index signature_requests_by_key on signature_requests (organization, key, requested_at, id);

create index signature_requests_by_wallet
  on signature_requests (organization, wallet, requested_at, id);

create index signature_requests_by_status on signature_requests (status, requested_at);
