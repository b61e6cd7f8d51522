-- The native asset of all wallets, which has no contract, and each token that the operator vouches for: what strangers send stands in nobody's way.
create index balances_moved_by_contract on balances (network, contract, moved_number)
  where moved_number > block_number;

create index balances_due_by_contract on balances (network, contract, due_at)
  where block_number is not null;
