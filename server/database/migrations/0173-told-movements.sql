-- Whether webhooks were told, which they are once a movement is settled. All those before were told of when they were first seen.
alter table history add column told boolean not null default true;

create index history_untold on history (network, block_number, id) where canonical and not told;
