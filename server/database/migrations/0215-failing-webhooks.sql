-- Since when a webhook has received nothing of what it was sent. Empty: it received what was sent last.
alter table webhooks add column failing_since int8;

create index webhooks_by_failure on webhooks (failing_since) where failing_since is not null;
