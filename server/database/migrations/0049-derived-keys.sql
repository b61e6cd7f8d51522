-- Which keys have children, and which are children: of which key, and where under it.
alter table keys add column master boolean not null default false;
alter table keys add column derived_from bytea;
alter table keys add column derivation_path text;

create unique index keys_by_path on keys (organization, derived_from, derivation_path)
  where derived_from is not null;
