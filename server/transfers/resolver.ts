import type { Resolver } from '../approvals/resolver.ts'
import type { ApprovalRow } from '../approvals/tables.ts'
import type { Database } from '../database/database.ts'
import { transactionOf, transferOf } from './entity.ts'
import type { Outgoing } from './tables.ts'

/** Wakes what was held: its own step asks what has become of its approval. */
export function outgoingResolver(deps: {
  readonly database: Database
  readonly wake: () => void
  readonly now: () => number
}): Resolver {
  const { database, wake, now } = deps
  return {
    operations: [
      ...(['wallets.transferAsset', 'wallets.broadcastTransaction'] as const),
      ...(['wallets.cancelTransfer', 'wallets.cancelTransaction'] as const),
      ...(['wallets.speedUpTransfer', 'wallets.speedUpTransaction'] as const),
    ],
    resolved: async ({ organization, request }, status) => {
      await database
        .updateTable('outgoing')
        .set({ due_at: now() })
        .where('organization', '=', organization)
        .where('request', '=', request)
        .where('state', 'in', ['asked', 'held'])
        .execute()
      wake()
      return { outcome: status === 'Approved' ? 'Applied' : 'Rejected' }
    },
    shown: async (approval) => {
      const row = await outgoingOf(database, approval)
      if (row === undefined) return {}
      return row.kind === 'transfer'
        ? { transferRequest: transferOf(row) }
        : { transactionRequest: transactionOf(row) }
    },
  }
}

function outgoingOf(
  database: Database,
  { organization, request }: ApprovalRow,
): Promise<Outgoing | undefined> {
  return database
    .selectFrom('outgoing')
    .selectAll()
    .where('organization', '=', organization)
    .where('request', '=', request)
    .executeTakeFirst()
}
