-- One piece of a collection is compared without reading the others: a stranger may send thousands of them at once.
create index history_by_piece on history
  (organization, wallet, contract, token_id, block_number) where token_id is not null;
