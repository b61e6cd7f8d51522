-- What a sponsor has sent may offer too little for a block to take it. Then another row comes for its slot, and so on: `bid`
-- counts those of one request.
alter table outgoing add column bid int4 not null default 0;

drop index outgoing_by_sponsored;

create unique index outgoing_by_sponsored on outgoing (organization, sponsored, bid)
  where sponsored is not null;
