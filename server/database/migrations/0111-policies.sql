-- Policies, for lists: what they say is in the records.
create table policies (
  organization bytea not null,
  id bytea not null,
  status text not null,
  created_at int8 not null,
  updated_at int8 not null,
  primary key (organization, id)
);

create index policies_by_time on policies (organization, created_at, id);
