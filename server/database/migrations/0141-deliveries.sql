-- When its receivers were found: a row each in `deliveries`.
alter table outbox add column dispatched_at int8;

create index outbox_by_wait on outbox (id) where dispatched_at is null;

create index outbox_by_time on outbox (created_at);

-- Attempts to tell a webhook of an event: made, or due. What there is to tell is in `outbox`.
create table deliveries (
  organization bytea not null,
  id bytea not null,
  delivery_id text not null,
  webhook bytea not null,
  event bytea not null,
  kind text not null,
  subject text,
  attempt int4 not null,
  first text,
  raised_at int8 not null,
  due_at int8,
  lease_holder text,
  lease_until int8 not null default 0,
  sent_at int8,
  status text,
  error text,
  next_attempt_at int8,
  primary key (organization, id)
);

create unique index deliveries_by_name on deliveries (organization, delivery_id);

create index deliveries_by_due on deliveries (due_at) where due_at is not null;

create index deliveries_by_sent on deliveries (organization, webhook, sent_at, id)
  where sent_at is not null;

create index deliveries_by_failure on deliveries (organization, webhook, sent_at, id)
  where status <> '200';

-- First attempts that are still to come: the later ones of their subject wait for them.
create index deliveries_by_subject on deliveries (organization, webhook, subject, event)
  where due_at is not null and attempt = 1;

create index deliveries_by_time on deliveries (raised_at);
