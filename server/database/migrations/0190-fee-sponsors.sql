-- Fee sponsors, for lists: whether one is active and what it may spend is in the records.
create table fee_sponsors (
  organization bytea not null,
  id bytea not null,
  wallet bytea not null,
  name text,
  created_at int8 not null,
  primary key (organization, id)
);

create index fee_sponsors_by_time on fee_sponsors (organization, created_at, id);
