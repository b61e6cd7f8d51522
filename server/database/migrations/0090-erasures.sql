-- By which request a thing is called what it is called: such a word goes when its author, or whoever
-- it was said of, is erased.
alter table users add column named_in bytea;
alter table users add column external_id_in bytea;
alter table keys add column named_in bytea;
alter table wallets add column named_in bytea;
alter table wallets add column external_id_in bytea;
