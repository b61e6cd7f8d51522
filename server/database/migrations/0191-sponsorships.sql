-- Who pays for what. A row that somebody else pays for names its sponsor; what the sponsor sends for
-- it is a row of its own, of kind `sponsorship`, which names the one that it is sent for.
alter table outgoing add column fee_sponsor bytea;

alter table outgoing add column sponsored bytea;

-- The account's own nonce with which it becomes one that can be sponsored, where it has yet to.
alter table outgoing add column delegation_nonce int8;

create unique index outgoing_by_sponsored on outgoing (organization, sponsored)
  where sponsored is not null;

create index outgoing_by_sponsor on outgoing (organization, fee_sponsor, created_at, id)
  where sponsored is not null;

create index outgoing_by_delegation on outgoing (network, address)
  where delegation_nonce is not null;
