import { randomUUID } from 'node:crypto'
import type { Chain } from '../chain/chains.ts'
import type { Database, DatabaseTransaction } from '../database/database.ts'

/** One server's follower of one chain. */
export type Follower = {
  readonly chain: Chain
  readonly holder: string
  /** No traces are asked for until then: the node has none, or takes too long over them. */
  untracedUntil: number
  untraced: number
  /** Every wallet of the network has a row among the balances. */
  isComplete: boolean
  /** Until then nothing more is said of balances that nobody can compare. */
  quietUntil: number
}

export function newFollower(chain: Chain): Follower {
  const fresh = { untracedUntil: 0, untraced: 0, isComplete: false, quietUntil: 0 }
  return { chain, holder: randomUUID(), ...fresh }
}

/** After it, another server may follow. One look reads a few dozen blocks, each within 10 s at worst. */
const leaseMs = 30_000

export async function takeLease(
  database: Database,
  { chain, holder }: Follower,
  now: number,
): Promise<boolean> {
  const lease = { lease_holder: holder, lease_until: now + leaseMs }
  const row = { network: chain.network.id, ...lease, condition: null, condition_since: null }
  const taken = await database
    .insertInto('chain_heads')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .column('network')
        .doUpdateSet(lease)
        .where((eb) =>
          eb.or([
            eb('chain_heads.lease_holder', '=', holder),
            eb('chain_heads.lease_until', '<', now),
          ]),
        ),
    )
    .executeTakeFirst()
  return taken.numInsertedOrUpdatedRows === 1n
}

/**
 * Two never write of one chain at once, and one whose lease has passed on writes nothing.
 * @throws Error when it has
 */
export async function requireLease(
  transaction: DatabaseTransaction,
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
