-- Logins that are in force: the token's own id as a hash, so that no reader of rows can be anybody.
create table sessions (
  organization bytea not null,
  id bytea not null,
  "user" bytea not null,
  -- Of its user's credentials when it began: a recovery moves on from it.
  generation int8 not null,
  began_at int8 not null,
  expires_at int8 not null,
  ended_at int8,
  primary key (organization, id)
);

create index sessions_by_user on sessions (organization, "user", began_at);

create index sessions_by_expiry on sessions (expires_at);

-- Without a user's name a credential is all that says who logs in.
create index credentials_by_cred_id on credentials (organization, cred_id);
