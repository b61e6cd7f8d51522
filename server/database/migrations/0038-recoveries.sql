-- Recoveries, by the name under which anybody may ask for them; whether one waits, the log says.
create table recoveries (
  organization bytea not null,
  id bytea not null,
  recovery_id text not null,
  "user" bytea not null,
  created_at int8 not null,
  effective_at int8 not null,
  -- The mail that says it has come into effect: it waits, and is taken back if that is cancelled.
  last_mail text,
  primary key (organization, id)
);

create unique index recoveries_by_name on recoveries (recovery_id);
