-- Who has accepted which of the operator's agreements.
create table agreement_acceptances (
  organization bytea not null,
  "user" bytea not null,
  agreement_id text not null,
  accepted_at int8 not null,
  primary key (organization, "user", agreement_id)
);
