-- When one changed last, and which of them an organization is founded with; what they say is in
-- the records.
alter table permissions add column updated_at int8;

alter table permissions add column managed text;

alter table permissions add column archived_at int8;
