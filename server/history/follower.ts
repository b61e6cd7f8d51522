import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Chain } from '../chain/chains.ts'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import type { FollowDeps } from './followers.ts'
import type { Watched } from './watched.ts'

/** One server's follower of one chain. */
export type Follower = {
  readonly chain: Chain
  readonly holder: string
  /** No traces are asked for until then: the node has none, or takes too long over them. */
  untracedUntil: number
  /**
   * How often traces were asked for in vain since something was written down. A block that has some,
   * or needs none, counts for nothing: whatever is read with one that has none is read again.
   */
  untraced: number
  /** So many more blocks may do without traces, since others have them. None until one has had some. */
  blocksWithoutTraces: number
  /** By the hash of a block: how often something of it was asked for that nobody gives. */
  readonly inVain: { readonly traces: Map<string, number>; readonly logs: Map<string, number> }
  /** Every address of ours, as long as nobody else has followed since. */
  watched: { readonly addresses: Watched; readonly leaseCount: number } | undefined
  /** The contract whose movements were told of last, in the order of addresses. */
  toldUpTo: string
  /** Until then nothing more is said of balances that nobody can compare, or a chain that is still too short. */
  quietUntil: number
}

export function newFollower(chain: Chain): Follower {
  const fresh = {
    untracedUntil: 0,
    untraced: 0,
    blocksWithoutTraces: 0,
    toldUpTo: '',
    quietUntil: 0,
  }
  const inVain = { traces: new Map(), logs: new Map() }
  return { chain, holder: randomUUID(), ...fresh, inVain, watched: undefined }
}

/** Blocks that are kept in mind: more than are under way at a time. */
const inVainMax = 64

/** @returns how often by now */
export function countInVain(counts: Map<string, number>, blockHash: string): number {
  const count = (counts.get(blockHash) ?? 0) + 1
  counts.delete(blockHash)
  counts.set(blockHash, count)
  const [oldest] = counts.keys()
  if (counts.size > inVainMax && oldest !== undefined) counts.delete(oldest)
  return count
}

/** After it, another server may follow. */
const leaseMs = 30_000

/** @returns how often the chain has changed hands; nothing while another server has it */
export async function takeLease(
  database: Database,
  { chain, holder }: Pick<Follower, 'chain' | 'holder'>,
  now: number,
): Promise<number | undefined> {
  const lease = { lease_holder: holder, lease_until: now + leaseMs }
  const known = { network: chain.network.id, condition: null, condition_since: null }
  const row = { ...known, ...lease, lease_count: 0, read_from: null, read_after: null }
  const taken = await database
    .insertInto('chain_heads')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .column('network')
        .doUpdateSet({
          ...lease,
          lease_count: sql`chain_heads.lease_count
            + case when chain_heads.lease_holder = ${holder} then 0 else 1 end`,
        })
        .where((eb) =>
          eb.or([
            eb('chain_heads.lease_holder', '=', holder),
            eb('chain_heads.lease_until', '<', now),
          ]),
        ),
    )
    .returning('lease_count')
    .executeTakeFirst()
  return taken?.lease_count
}

/**
 * Keeps the lease while blocks are read, however long a node takes. Who has lost it finds out when
 * he writes, and not here.
 */
export async function keepingLease<T>(
  { database, now, log }: Pick<FollowDeps, 'database' | 'now' | 'log'>,
  follower: Follower,
  work: () => Promise<T>,
): Promise<T> {
  const network = follower.chain.network.id
  const renew = () =>
    requireLease(database, follower, now()).catch((error: unknown) =>
      log.warn({ err: error, network }, 'the lease of a chain was not renewed'),
    )
  const renewing = setInterval(() => void renew(), leaseMs / 3)
  try {
    return await work()
  } finally {
    clearInterval(renewing)
  }
}

/**
 * Two never write of one chain at once, and one whose lease has passed on writes nothing.
 * @throws Error when it has
 */
export async function requireLease(
  transaction: Database | DatabaseTransaction,
  { chain, holder }: Follower,
  now: number,
): Promise<void> {
  const kept = await transaction
    .updateTable('chain_heads')
    .set({ lease_until: now + leaseMs })
    .where('network', '=', chain.network.id)
    .where('lease_holder', '=', holder)
    .executeTakeFirst()
  if (kept.numUpdatedRows !== 1n) throw new Error('another server follows this chain by now')
}
