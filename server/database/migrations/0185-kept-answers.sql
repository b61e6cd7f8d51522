-- Answers to requests under an idempotency key, for a day. The key itself is kept by nobody.
create table kept_answers (
  organization bytea not null,
  key bytea not null,
  request bytea not null,
  action bytea,
  holder text not null,
  status int4,
  answer text,
  begun_at int8 not null,
  primary key (organization, key)
);

-- How many an organization has, and which are too old.
create index kept_answers_of_organization on kept_answers (organization, begun_at);

create index kept_answers_by_age on kept_answers (begun_at);
