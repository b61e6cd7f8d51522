-- When a contract was first met, by which an event of it waits for its answer, and only so long.
alter table token_words add column met_at int8 not null default 0;

-- Those that have said nothing may have been asked at a node that did not have them yet.
update token_words set asked_at = null where symbol is null and decimals is null;
