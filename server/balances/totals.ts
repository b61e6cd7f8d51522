import { sql } from 'kysely'
import type { DatabaseTransaction } from '../database/database.ts'
import type { BalanceKey } from './watch.ts'

/** What is held of it from now on, in the row and in the total of its organization. */
export async function setHeld(
  transaction: DatabaseTransaction,
  key: BalanceKey & { readonly network: string },
  held: bigint,
): Promise<void> {
  const { organization, wallet, kind, contract, token_id, network } = key
  const token = kind === 'Erc721' ? '' : token_id
  await sql`
    with known as (
      select held from balances
      where organization = ${organization} and wallet = ${wallet} and kind = ${kind}
        and contract = ${contract} and token_id = ${token_id}
      for update
    ), changed as (
      update balances set held = ${held.toString()}::numeric
      where organization = ${organization} and wallet = ${wallet} and kind = ${kind}
        and contract = ${contract} and token_id = ${token_id}
    )
    insert into balance_totals
    select ${organization}, ${network}, ${kind}, ${contract}, ${token},
      ${held.toString()}::numeric - held,
      (case when ${held.toString()}::numeric <> 0 then 1 else 0 end)
        - (case when held <> 0 then 1 else 0 end)
    from known where held <> ${held.toString()}::numeric
    on conflict (organization, network, kind, contract, token_id) do update
      set amount = balance_totals.amount + excluded.amount,
        wallets = balance_totals.wallets + excluded.wallets`.execute(transaction)
}
