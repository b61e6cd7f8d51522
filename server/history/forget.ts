import type { Network } from '@quorate/chains/adapter'
import { sql } from 'kysely'
import { type Database, type DatabaseTransaction, inTransaction } from '../database/database.ts'
import { depthBeyondFinal } from './follow.ts'
import { type Follower, requireLease } from './follower.ts'
import type { FollowDeps } from './followers.ts'

/** A fast chain has 345,600 blocks a day; for so long an operator can look what we held. */
const keptMs = 7 * 24 * 60 * 60_000
/**
 * Of the first ones, from which on the earlier blocks are read (`earlier.ts`): where a token begins that is found
 * there, and as many as are read again for what differs since (`../balances/settle.ts`).
 */
const keptFirst = 64
/** Of one statement. */
const headersAtOnce = 1_000

/**
 * Deletes some headers that nothing rests on any more: older than a week, deeper than any reorganization that is
 * followed, before everything that was not told of yet and before what any balance was last compared at.
 *
 * @returns `idle` where another server follows, or nothing is left to delete
 */
export async function forgetHeaders(
  { database, now }: Pick<FollowDeps, 'database' | 'now'>,
  follower: Follower,
): Promise<'idle' | 'more'> {
  if (!(await isFollowing(database, follower, now()))) return 'idle'
  const count = await inTransaction(database, async (transaction) => {
    // Whoever opens a balance or writes down a movement has the lease, and waits for this.
    await requireLease(transaction, follower, now())
    return forgetSome(transaction, follower.chain.network, now() - keptMs)
  })
  return count === headersAtOnce ? 'more' : 'idle'
}

async function isFollowing(
  database: Database,
  { chain, holder }: Follower,
  now: number,
): Promise<boolean> {
  const head = await database
    .selectFrom('chain_heads')
    .select('network')
    .where('network', '=', chain.network.id)
    .where('lease_holder', '=', holder)
    .where('lease_until', '>', now)
    .executeTakeFirst()
  return head !== undefined
}

async function forgetSome(
  transaction: DatabaseTransaction,
  network: Network,
  before: number,
): Promise<number> {
  const needed = await neededOf(transaction, network.id)
  if (needed === undefined) return 0
  const { first, last, compared, untold } = needed
  const deep = last - network.confirmationsFinal - depthBeyondFinal
  const upTo = Math.min(deep, compared ?? deep, untold ?? deep)
  let count = 0
  for (const canonical of [true, false]) {
    const some = transaction
      .selectFrom('block_headers')
      .select('hash')
      .where('network', '=', network.id)
      .where('canonical', '=', canonical)
      .where('number', '>=', first + keptFirst)
      .where('number', '<', upTo)
      .where('time', '<', Math.floor(before / 1000))
      .orderBy('number')
      .limit(headersAtOnce - count)
    const { numDeletedRows } = await transaction
      .deleteFrom('block_headers')
      .where('network', '=', network.id)
      .where('hash', 'in', some)
      .executeTakeFirst()
    count += Number(numDeletedRows)
  }
  return count
}

type Needed = {
  readonly first: number
  readonly last: number
  /** The block that a balance was compared at longest ago. */
  readonly compared: number | null
  /** The oldest with a movement that is still to be told of. */
  readonly untold: number | null
}

/** @returns nothing where nothing is held */
async function neededOf(
  transaction: DatabaseTransaction,
  network: string,
): Promise<Needed | undefined> {
  const held = sql`select number from block_headers where network = ${network} and canonical`
  const { rows } = await sql<Needed | { readonly first: null }>`
    select (${held} order by number limit 1) as first,
      (${held} order by number desc limit 1) as last,
      (select block_number from balances where network = ${network} and block_number is not null
        order by block_number limit 1) as compared,
      (select h.block_number from history h
        join block_headers b on b.network = h.network and b.hash = h.block_hash
        where h.network = ${network} and h.canonical and not h.told
        order by h.block_number limit 1) as untold`.execute(transaction)
  const [needed] = rows
  return needed === undefined || needed.first === null ? undefined : needed
}
