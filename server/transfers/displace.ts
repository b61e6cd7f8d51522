import type { DatabaseTransaction } from '../database/database.ts'
import { after, onABlock } from './lifecycle.ts'
import { tell } from './move.ts'
import { nowhere } from './sent.ts'

/**
 * Puts back what rested on blocks that are gone, be it confirmed or failed: the bytes are as good as
 * ever, and the chain has the word again.
 */
export async function displaceOutgoing(
  transaction: DatabaseTransaction,
  gone: { readonly network: string; readonly hashes: readonly string[]; readonly now: number },
): Promise<void> {
  const { network, hashes, now } = gone
  for (const state of onABlock) {
    const rows = await transaction
      .updateTable('outgoing')
      .set({
        ...nowhere,
        ...{ state: after(state, 'displace'), waiting: 'its block is gone from the chain' },
        ...{ attempts: 0, due_at: now, lease_holder: null, lease_until: 0 },
      })
      .where('network', '=', network)
      .where('block_hash', 'in', hashes)
      .where('state', '=', state)
      .returningAll()
      .execute()
    for (const row of rows) await tell(transaction, state, row, now)
  }
}
