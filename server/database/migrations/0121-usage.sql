-- Requests for signatures of a calendar month (UTC), counted where there is a limit to them.
create table signature_usage (
  organization bytea not null,
  month text not null,
  used int8 not null,
  primary key (organization, month)
);

create index outgoing_by_time on outgoing (organization, created_at);

create index signature_requests_by_time on signature_requests (organization, requested_at);
