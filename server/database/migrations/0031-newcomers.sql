-- Challenges of registrations and recoveries that have begun: a temporary token is for one of them.
create table newcomer_challenges (
  organization bytea not null,
  request bytea not null,
  "user" bytea not null,
  purpose text not null,
  preimage bytea not null,
  salt bytea not null,
  issued_at int8 not null,
  expires_at int8 not null,
  used_at int8,
  handed_in bytea,
  primary key (organization, request)
);

create index newcomer_challenges_by_user on newcomer_challenges (organization, "user", issued_at);

create index newcomer_challenges_by_expiry on newcomer_challenges (expires_at);
