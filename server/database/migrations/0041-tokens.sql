-- What a personal access token is called; a service account's bears the name of its account.
alter table tokens add column name text;

alter table tokens add column external_id text;

alter table tokens add column archived_at int8;
