-- Requests that policies hold, and what is decided on them. Made of certified steps, but for the
-- columns from `explained` on, which are the work that is left to do.
create table approvals (
  organization bytea not null,
  id bytea not null,
  approval_id text not null,
  stream bytea not null,
  seq int8 not null,
  item int4 not null,
  request bytea not null,
  initiator_id text not null,
  token_id text,
  operation text not null,
  activity_kind text not null,
  entity_id text,
  about text,
  opening bytea not null,
  status text not null,
  expires_at int8 not null,
  created_at int8 not null,
  updated_at int8 not null,
  resolved_at int8,
  explained text,
  approvers text,
  announced_at int8,
  due_at int8 default 0,
  lease_holder text,
  lease_until int8 not null default 0,
  attempts int4 not null default 0,
  outcome text,
  outcome_reason text,
  finished_at int8,
  primary key (organization, id)
);

create unique index approvals_by_name on approvals (organization, approval_id);

create unique index approvals_by_request on approvals (organization, request);

create index approvals_by_time on approvals (organization, created_at, id);

create index approvals_by_about on approvals (organization, about);

create index approvals_by_entity on approvals (organization, entity_id);

create index approvals_by_due on approvals (due_at);

create table approval_decisions (
  organization bytea not null,
  approval bytea not null,
  "user" bytea not null,
  value text not null,
  reason text,
  decided_at int8 not null,
  primary key (organization, approval, "user")
);
