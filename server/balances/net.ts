import { sql } from 'kysely'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import type { BalanceKey } from './watch.ts'

/** Blocks after the first of these numbers, up to the second. */
export type Span = { readonly after: number; readonly upTo: number }

/** What history says has come in less what has gone out, fees included. */
export async function netOf(
  database: Database | DatabaseTransaction,
  key: BalanceKey,
  span: Span,
): Promise<bigint> {
  const came = await sumOf(database, key, { ...span, direction: 'In' })
  const went = await sumOf(database, key, { ...span, direction: 'Out' })
  // Each transaction of a wallet is one native movement of it, if of nothing: its fee is there once.
  return came.value - went.value - (key.kind === 'Native' ? went.fee : 0n)
}

async function sumOf(
  database: Database | DatabaseTransaction,
  { organization, wallet, kind, contract, token_id }: BalanceKey,
  { after, upTo, direction }: Span & { readonly direction: 'In' | 'Out' },
): Promise<{ readonly value: bigint; readonly fee: bigint }> {
  let rows = database
    .selectFrom('history')
    .select([
      sql<string>`coalesce(sum(value::numeric), 0)::text`.as('value'),
      sql<string>`coalesce(sum(fee::numeric), 0)::text`.as('fee'),
    ])
    .where('organization', '=', organization)
    .where('wallet', '=', wallet)
    .where('canonical', '=', true)
    .where('kind', '=', `${kind}Transfer`)
    .where('direction', '=', direction)
    .where('block_number', '>', after)
    .where('block_number', '<=', upTo)
  if (kind !== 'Native') rows = rows.where('contract', '=', contract)
  if (token_id !== '') rows = rows.where('token_id', '=', token_id)
  const { value, fee } = await rows.executeTakeFirstOrThrow()
  return { value: BigInt(value), fee: BigInt(fee) }
}
