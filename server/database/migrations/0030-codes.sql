-- One-time codes, as hashes; of one user and purpose the newest alone counts.
create table one_time_codes (
  organization bytea not null,
  "user" bytea not null,
  purpose text not null,
  hash bytea not null,
  -- What the code stands for in the log, where it stands for anything.
  request bytea,
  expires_at int8 not null,
  primary key (organization, "user", purpose)
);

create index one_time_codes_by_hash on one_time_codes (hash);

create index one_time_codes_by_expiry on one_time_codes (expires_at);

-- How often something was tried since a moment: by the hash of its name, whether there is such a
-- name or not. An organization of zeros is for what is tried of none.
create table attempts (
  organization bytea not null,
  subject bytea not null,
  began_at int8 not null,
  count int4 not null,
  primary key (organization, subject)
);

create index attempts_by_time on attempts (began_at);
