-- An end user's external ids are his own; everybody else's are their organization's.
alter table external_ids add column owner bytea;

update external_ids set owner = organization;

alter table external_ids alter column owner set not null;

alter table external_ids drop constraint external_ids_pkey;

alter table external_ids add primary key (organization, owner, kind, external_id);
