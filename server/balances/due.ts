import type { Network } from '@quorate/chains/adapter'
import { type RawBuilder, sql } from 'kysely'
import { findListed } from '../assets/listed.ts'
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
type Queue = { readonly where: RawBuilder<boolean>; readonly order: RawBuilder<unknown> }

/** Of so many, one goes to what has waited longest: of a network's many wallets, some are always due. */
const shareOfOldest = 4

/**
 * What has moved and is settled by now comes first, then what was compared longest ago: `limit` rows
 * of each at most. In both, the native asset and what the operator vouches for come before all else:
 * anybody can send a wallet tokens of his own making, thousands at a time.
 */
export async function dueBalances(
  database: Database,
  { id: network, noCoin }: Pick<Network, 'id' | 'noCoin'>,
  wanted: Wanted,
): Promise<readonly Due[]> {
  const { at, now, limit } = wanted
  // Where there is no coin, the row only says that the wallet is watched.
  const isAsset = noCoin ? sql` and b.kind <> 'Native'` : sql``
  const moved = {
    where: sql<boolean>`moved_number > block_number and moved_number <= ${at.number}
      and (attempts = 0 or due_at <= ${now})${isAsset}`,
    order: sql`moved_number`,
  }
  const others = { where: sql<boolean>`due_at <= ${now}${isAsset}`, order: sql`due_at` }
  const found = [
    ...(await firstIn(database, network, { ...wanted, ...moved })),
    ...(await firstIn(database, network, { ...wanted, ...others })),
  ]
  return firstOf(found, 2 * limit)
}

async function firstIn(
  database: Database,
  network: string,
  wanted: Wanted & Queue,
): Promise<readonly Due[]> {
  const { limit } = wanted
  const oldest = await oldestIn(database, network, wanted)
  if (oldest.length < limit) return oldest
  const known = await knownIn(database, network, wanted)
  const share = Math.floor(limit / shareOfOldest)
  return firstOf([...known.slice(0, limit - share), ...oldest, ...known], limit)
}

async function oldestIn(
  database: Database,
  network: string,
  { at, limit, where, order }: Wanted & Queue,
): Promise<readonly Due[]> {
  const { rows } = await sql<Due>`
    select b.*, w.address, w.wallet_id
    from balances b join wallets w on w.organization = b.organization and w.id = b.wallet
    where b.network = ${network} and block_number < ${at.number} and ${where}
      and w.address is not null
    order by ${order} limit ${limit}`.execute(database)
  return rows
}

/** Contract by contract, each from its own place in the index, however much there is of the others. */
async function knownIn(
  database: Database,
  network: string,
  { at, limit, where, order }: Wanted & Queue,
): Promise<readonly Due[]> {
  const listed = await findListed(database, network)
  // The native asset has none.
  const contracts = ['', ...listed.map(({ contract }) => contract)]
  const { rows } = await sql<Due>`
    select known.* from unnest(${contracts}::text[]) as named (contract) cross join lateral (
      select b.*, w.address, w.wallet_id
      from balances b join wallets w on w.organization = b.organization and w.id = b.wallet
      where b.network = ${network} and b.contract = named.contract
        and block_number < ${at.number} and ${where} and w.address is not null
      order by ${order} limit ${limit}
    ) known
    order by ${order} limit ${limit}`.execute(database)
  return rows
}

/** The first of them, each once. */
function firstOf(rows: readonly Due[], limit: number): readonly Due[] {
  return [...new Map(rows.map((row) => [nameOf(row), row])).values()].slice(0, limit)
}

function nameOf({ wallet_id, kind, contract, token_id }: Due): string {
  return [wallet_id, kind, contract, token_id].join()
}
