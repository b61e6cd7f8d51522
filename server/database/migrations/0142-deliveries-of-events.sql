-- An event is forgotten after the last attempt to tell of it.
create index deliveries_by_event on deliveries (organization, event);
