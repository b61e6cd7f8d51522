-- When receivers of events were told what has become of it.
alter table approvals add column told_at int8;
