-- Mail that is to go out. Once it rests, sent or given up, neither address nor content is left.
create table mails (
  organization bytea not null,
  id text not null,
  template text not null,
  recipient text,
  values_json text,
  attempts int4 not null,
  next_try int8,
  expires_at int8 not null,
  lease_holder text,
  lease_until int8 not null,
  created_at int8 not null,
  sent_at int8,
  given_up_at int8,
  primary key (organization, id),
  check (next_try is not null or (recipient is null and values_json is null))
);

create index mails_by_next_try on mails (next_try);
