-- What waited for an earlier one of its subject, and does not any more.
alter table deliveries add column called boolean not null default false;
