-- Of all that an organization ever had, few are open.
create index approvals_by_status on approvals (organization, status, created_at, id);
