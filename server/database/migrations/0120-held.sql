-- What policies hold: the approval that a request waits for, and when that had come to an end.
alter table outgoing add column approval_id text;

alter table outgoing add column policy_resolved_at int8;

alter table signature_requests add column approval_id text;

alter table signature_requests add column policy_resolved_at int8;

-- Held signatures are work with a lease, as what leaves wallets is.
alter table signature_requests add column attempts int4 not null default 0;

alter table signature_requests add column due_at int8;

alter table signature_requests add column lease_holder text;

alter table signature_requests add column lease_until int8 not null default 0;

create index outgoing_by_request on outgoing (organization, request);

create index signature_requests_by_due on signature_requests (due_at) where due_at is not null;
