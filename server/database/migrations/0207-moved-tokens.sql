-- Earlier blocks, read beside the new ones, had put tokens back to where they moved in those.
update wallet_tokens t set block_number = h.block_number
  from (
    select organization, wallet, replace(kind, 'Transfer', '') as kind, contract,
      coalesce(token_id, '') as token_id, max(block_number) as block_number
    from history
    where contract is not null and canonical
      and network in (select network from chain_heads where read_from is not null)
    group by 1, 2, 3, 4, 5
  ) h
  where t.organization = h.organization and t.wallet = h.wallet and t.kind = h.kind
    and t.contract = h.contract and t.token_id = h.token_id and t.block_number < h.block_number;
