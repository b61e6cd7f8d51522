-- Kinds of keys that somebody has taken, and when about: a server that starts fills these, also where none is left.
create table pooled_kinds (
  organization bytea not null,
  scheme text not null,
  curve text not null,
  wanted_at int8 not null,
  primary key (organization, scheme, curve)
);
create index pooled_kinds_by_age on pooled_kinds (wanted_at);
