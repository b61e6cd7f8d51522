-- What users were asked to sign, until it has expired. Secrets are kept as hashes.
create table challenges (
  organization bytea not null,
  request bytea not null,
  "user" bytea not null,
  token bytea,
  identifier bytea not null,
  preimage bytea not null,
  payload text not null,
  salt bytea not null,
  issued_at int8 not null,
  expires_at int8 not null,
  assertion bytea,
  action bytea,
  action_expires_at int8,
  used_at int8,
  primary key (organization, request)
);

create unique index challenges_by_identifier on challenges (identifier);

create unique index challenges_by_action on challenges (action);

create index challenges_by_user on challenges (organization, "user", issued_at);

create index challenges_by_expiry on challenges (expires_at);

-- A login's challenge is carried by the client; here is which of them have been used.
create table logins (
  request bytea not null,
  expires_at int8 not null,
  primary key (request)
);

create index logins_by_expiry on logins (expires_at);

create table external_ids (
  organization bytea not null,
  kind text not null,
  external_id text not null,
  fingerprint bytea not null,
  entity_id text not null,
  primary key (organization, kind, external_id)
);

-- Written in the transaction of the change that it tells of; webhooks read it.
create table outbox (
  organization bytea not null,
  id bytea not null,
  kind text not null,
  data text not null,
  created_at int8 not null,
  primary key (organization, id)
);
