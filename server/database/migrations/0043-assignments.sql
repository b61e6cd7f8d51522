-- Assignments that have not ended, for lists; what they allow is decided by records alone.
create table assignments (
  organization bytea not null,
  id bytea not null,
  permission bytea not null,
  identity bytea not null,
  identity_id text not null,
  created_at int8 not null,
  primary key (organization, id)
);

create index assignments_by_permission on assignments (organization, permission, created_at, id);
