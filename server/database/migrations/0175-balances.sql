-- What a wallet holds of each asset, as the chain itself says at the last block at which history was held against it.
create table balances (
  organization bytea not null,
  wallet bytea not null,
  kind text not null,
  contract text not null,
  token_id text not null,
  network text not null,
  block_number int8,
  block_hash text,
  balance text,
  unexplained text not null,
  moved_number int8 not null,
  due_at int8 not null,
  attempts int4 not null,
  primary key (organization, wallet, kind, contract, token_id)
);

-- What is compared next: what has moved, and then whatever was compared longest ago.
create index balances_moved on balances (network, moved_number)
  where moved_number > block_number;

create index balances_due on balances (network, due_at) where block_number is not null;

create index balances_unseen on balances (network) where block_number is null;

-- What a reorganization sets back.
create index balances_by_block on balances (network, block_number);

insert into balances
  select t.organization, t.wallet, t.kind, t.contract, t.token_id, w.network,
    null, null, null, '0', t.block_number, 0, 0
  from wallet_tokens t join wallets w on w.organization = t.organization and w.id = t.wallet;

-- Money of which nobody can say whence it came has neither a sender nor a transaction.
alter table history alter column hash drop not null;
alter table history alter column sender drop not null;
