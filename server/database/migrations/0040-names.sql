-- Of two that want one name, the first row wins; it lapses unless its request came into force.
-- `scope` is within what a name is unique: an organization, or a user.
create table names (
  organization bytea not null,
  scope bytea not null,
  name text not null,
  holder bytea not null,
  request bytea not null,
  lapses_at int8,
  primary key (organization, scope, name)
);

create index names_by_holder on names (organization, holder);

create index names_by_request on names (organization, request);

drop table service_account_names;
