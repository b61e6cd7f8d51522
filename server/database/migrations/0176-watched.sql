-- Counts who has followed a chain: what one of them keeps in memory of our addresses holds while nobody else has come between.
alter table chain_heads add column lease_count int8 not null default 0;

-- All of a network's, page by page.
create index wallets_by_network on wallets (network, organization, id);
