-- What webhooks are to be told of, contract by contract, the native asset first: much of one holds none of the others up.
create index history_untold_by_contract on history (network, (coalesce(contract, '')), block_number, id)
  where canonical and not told;
