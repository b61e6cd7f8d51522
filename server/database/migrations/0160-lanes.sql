-- A row that takes the place of another one: which, at which slot, and the hash that that one had, if
-- it had any. `original` is what the request was signed for whose effect it has. The other row names
-- the newest that has come for its place.
alter table outgoing add column replacement text;

alter table outgoing add column replaces bytea;

alter table outgoing add column replaces_slot int8;

alter table outgoing add column replaces_hash text;

alter table outgoing add column original bytea;

alter table outgoing add column replacement_id text;

create index outgoing_by_slot on outgoing (network, address, slot) where slot is not null;
