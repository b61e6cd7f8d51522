-- What policies hold: the approval that a request waits for, and when that had come to an end.
alter table outgoing add column approval_id text;

alter table outgoing add column policy_resolved_at int8;

alter table signature_requests add column approval_id text;

alter table signature_requests add column policy_resolved_at int8;

alter table signature_requests add column request bytea not null default '';

create index outgoing_by_request on outgoing (organization, request);

create index signature_requests_by_request on signature_requests (organization, request);
