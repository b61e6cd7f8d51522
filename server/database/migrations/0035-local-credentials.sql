-- Passwords and one-time codes, which let in and which no signer believes: this server alone knows
-- them, and no log. A password is hashed, a secret of one-time codes sealed.
create table local_credentials (
  organization bytea not null,
  id bytea not null,
  "user" bytea not null,
  kind text not null,
  name text not null,
  secret bytea not null,
  status text not null,
  -- The newest time step whose code was taken: none is taken twice.
  last_step int8,
  created_at int8 not null,
  primary key (organization, id)
);

create index local_credentials_by_user on local_credentials (organization, "user", kind);

-- A body with a password in it is not kept: it comes again with its request.
alter table challenges alter column payload drop not null;
