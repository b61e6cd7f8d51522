-- What may be taken this moment: its time has come, nothing of its subject is before it, and nobody has
-- it. Whoever takes it says in `due_at` until when. The columns that go were for the same; a server of
-- an earlier release that still runs tells of nothing from here on, and holds nothing up.
alter table deliveries add column ready boolean not null default false;

update deliveries set due_at = lease_until where due_at is not null and lease_holder is not null;

update deliveries set due_at = raised_at, ready = subject is null or not exists (
    select 1 from deliveries earlier
    where earlier.organization = deliveries.organization and earlier.webhook = deliveries.webhook
      and earlier.subject = deliveries.subject and earlier.event < deliveries.event
      and earlier.attempt = 1 and earlier.due_at is not null)
  where due_at is not null and attempt = 1 and lease_holder is null;

drop index deliveries_by_due;

alter table deliveries drop column called;

alter table deliveries drop column lease_until;

-- From one webhook to the next, past all that waits for the first one.
create index deliveries_by_ready on deliveries (webhook, due_at, event) where ready;

-- What comes to be ready by time alone: later attempts, and what somebody has taken and never noted.
create index deliveries_by_due on deliveries (due_at)
  where due_at is not null and not ready and (attempt > 1 or lease_holder is not null);
