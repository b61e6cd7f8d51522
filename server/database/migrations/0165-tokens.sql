-- Movements of tokens beside those of native money, which have neither of these. A fee is of who paid it.
alter table history alter column fee drop not null;
alter table history add column contract text;
alter table history add column token_id text;

-- Each filter of the list has an index in the list's order, and the list reads one page of it per direction.
create index history_by_direction on history
  (organization, wallet, canonical, direction, block_number, id);

create index history_by_kind on history
  (organization, wallet, canonical, kind, direction, block_number, id);

create index history_by_contract on history
  (organization, wallet, canonical, contract, kind, direction, block_number, id)
  where contract is not null;

-- What contracts say of themselves. Nobody has checked it.
create table token_words (
  network text not null,
  contract text not null,
  symbol text,
  decimals int4,
  asked_at int8,
  primary key (network, contract)
);

create index token_words_unasked on token_words (network) where asked_at is null;
