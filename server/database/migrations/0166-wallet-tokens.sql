-- What a wallet may hold, since it was moved there once: the chain is asked whether it does.
create table wallet_tokens (
  organization bytea not null,
  wallet bytea not null,
  kind text not null,
  contract text not null,
  token_id text not null,
  block_number int8 not null,
  primary key (organization, wallet, kind, contract, token_id)
);

create index wallet_tokens_by_number on wallet_tokens
  (organization, wallet, kind, block_number, contract, token_id);

insert into wallet_tokens
  select organization, wallet, replace(kind, 'Transfer', ''), contract, coalesce(token_id, ''),
    max(block_number)
  from history where contract is not null
  group by organization, wallet, kind, contract, coalesce(token_id, '');
