-- What a sponsor has spent for one user within a day, without reading what it spent for the others.
create index outgoing_by_sponsored_user on outgoing (organization, fee_sponsor, user_id, created_at)
  where sponsored is not null and signed is not null;
