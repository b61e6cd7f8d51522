import type { Database } from '../database/database.ts'
import type { Follower } from '../history/follower.ts'
import type { BalanceRow, Place } from './watch.ts'

/** A row whose chain's follower has met it. */
export type Due = Omit<BalanceRow, 'block_number' | 'block_hash'> & {
  readonly block_number: number
  readonly block_hash: string
  readonly address: string
  readonly wallet_id: string
}

/**
 * Compared at a settled block, but at one that every node still knows the state of: Geth keeps that
 * of 128 blocks ("full" nodes, `--gcmode`). What a reorganization takes back is compared again.
 */
const depthMax = 96

/** @returns nothing while another server follows, or nothing may be judged by this chain */
export async function comparedBlock(
  database: Database,
  { chain: { network }, holder }: Follower,
  now: number,
): Promise<Place | undefined> {
  const head = await database
    .selectFrom('chain_heads')
    .select('network')
    .where('network', '=', network.id)
    .where('lease_holder', '=', holder)
    .where('lease_until', '>', now)
    .where('condition', 'is', null)
    .executeTakeFirst()
  if (head === undefined) return undefined
  return database
    .selectFrom('block_headers')
    .select(['number', 'hash'])
    .where('network', '=', network.id)
    .where('canonical', '=', true)
    .orderBy('number', 'desc')
    .offset(Math.min(network.confirmationsFinal - 1, depthMax))
    .limit(1)
    .executeTakeFirst()
}

type Wanted = { readonly at: Place; readonly now: number; readonly limit: number }

/** What has moved and is settled by now comes first, then what was compared longest ago. */
export async function dueBalances(
  database: Database,
  network: string,
  wanted: Wanted,
): Promise<readonly Due[]> {
  const { at, now, limit } = wanted
  const rows = () =>
    database
      .selectFrom('balances')
      .innerJoin('wallets', (join) =>
        join
          .onRef('wallets.organization', '=', 'balances.organization')
          .onRef('wallets.id', '=', 'balances.wallet'),
      )
      .selectAll('balances')
      .select(['wallets.address', 'wallets.wallet_id'])
      .where('balances.network', '=', network)
      .where('block_number', '<', at.number)
      .limit(limit)
  const moved = await rows()
    .whereRef('moved_number', '>', 'block_number')
    .where('moved_number', '<=', at.number)
    .where((eb) => eb.or([eb('attempts', '=', 0), eb('due_at', '<=', now)]))
    .orderBy('moved_number')
    .execute()
  const others = await rows().where('due_at', '<=', now).orderBy('due_at').execute()
  const found = new Map([...others, ...moved].map((row) => [nameOf(row), row]))
  return [...found.values()].flatMap(({ block_number, block_hash, address, ...row }) =>
    block_number === null || block_hash === null || address === null
      ? []
      : [{ ...row, block_number, block_hash, address }],
  )
}

function nameOf({ wallet_id, kind, contract, token_id }: BalanceRow & { wallet_id: string }) {
  return [wallet_id, kind, contract, token_id].join()
}
