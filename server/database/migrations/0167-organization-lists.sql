-- Lists of a whole organization, in their own order.
create index history_by_time on history (organization, canonical, time, id);

create index outgoing_by_kind on outgoing (organization, kind, created_at, id);

create index outgoing_by_external_id on outgoing (organization, kind, external_id, created_at, id)
  where external_id is not null;
