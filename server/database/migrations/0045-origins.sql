-- Origins of the relying parties in the settings in force, for the question that comes with every
-- request of a browser: does any organization of this platform have this one?
create table organization_origins (
  organization bytea not null,
  origin text not null,
  primary key (organization, origin)
);

create index organization_origins_by_origin on organization_origins (origin);
