import { randomUUID } from 'node:crypto'
import type { Database } from '../database/database.ts'
import type { ApprovalRow } from './tables.ts'

/** After it another worker may take the row: whatever both do, they do once. */
export const leaseMs = 30_000

/** Takes rows that are due and that nobody has, the longest due first. */
export async function leaseApprovals(
  database: Database,
  count: number,
  now: number,
): Promise<readonly ApprovalRow[]> {
  const due = database
    .selectFrom('approvals')
    .select(['organization', 'id'])
    .where('due_at', '<=', now)
    .where('lease_until', '<', now)
    .orderBy('due_at')
    .limit(count)
  return database
    .updateTable('approvals')
    .set({ lease_holder: randomUUID(), lease_until: now + leaseMs })
    .where((eb) => eb(eb.refTuple('organization', 'id'), 'in', due.$asTuple('organization', 'id')))
    .where('due_at', '<=', now)
    .where('lease_until', '<', now)
    .returningAll()
    .execute()
}

/** A row on which somebody has decided meanwhile is due already, and stays so. */
export async function postpone(
  database: Database,
  row: ApprovalRow,
  until: { readonly dueAt: number; readonly attempts: number },
): Promise<void> {
  await database
    .updateTable('approvals')
    .set((eb) => ({
      due_at: eb
        .case()
        .when('updated_at', '=', row.updated_at)
        .then(until.dueAt)
        .else(eb.ref('due_at'))
        .end(),
      attempts: until.attempts,
      lease_holder: null,
      lease_until: 0,
    }))
    .where('organization', '=', row.organization)
    .where('id', '=', row.id)
    .where('lease_holder', '=', row.lease_holder)
    .execute()
}
