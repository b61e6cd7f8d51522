-- Answers of identity providers that have been used, for as long as they could be used again.
-- Nothing is kept of the questions: the browser carries them, sealed.
create table oidc_states (
  organization bytea not null,
  hash bytea not null,
  expires_at int8 not null,
  primary key (organization, hash)
);

create index oidc_states_by_expiry on oidc_states (expires_at);
