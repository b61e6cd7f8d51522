-- What an identity provider knows this server by, sealed.
create table issuer_secrets (
  organization bytea not null,
  issuer text not null,
  client_id text not null,
  secret bytea not null,
  primary key (organization, issuer, client_id)
);
