import type { Log } from '../auth/log.ts'
import { inTransaction } from '../database/database.ts'
import { recordEvent, type Event } from '../outbox.ts'
import { triggeredEvents } from '../policies/triggered.ts'
import { shown, type ShownDeps } from './shown.ts'
import type { ApprovalRow } from './tables.ts'

/** That policies were triggered, and that approvers are asked: as all that was in the beginning. */
export async function openingEvents(
  deps: ShownDeps & { readonly log: Pick<Log, 'read'> },
  row: ApprovalRow,
): Promise<readonly Event[]> {
  const { organization, request, created_at: at } = row
  const asOpened = { ...row, status: 'Pending', updated_at: at, ...undecided } as const
  const approval = { ...(await shown({ ...deps, now: () => at }, asOpened)), decisions: [] }
  const { activity, policyEvaluations: evaluations } = approval
  const triggering = { organization, request, activity, evaluations, at }
  return [
    ...(await triggeredEvents(deps, triggering)),
    { organization, kind: 'policy.approval.pending', data: { approval }, at },
  ]
}

/** An approver may be faster than whoever tells of it. */
const undecided = {
  ...{ resolved_at: null, outcome: null, outcome_reason: null, finished_at: null },
} as const

/** Once, in the transaction that says so; what follows from it has events of its own. */
export async function tellResolved(deps: ShownDeps, row: ApprovalRow): Promise<void> {
  const { database, now } = deps
  if (row.told_at !== null) return
  await inTransaction(database, async (transaction) => {
    const told = await transaction
      .updateTable('approvals')
      .set({ told_at: now() })
      .where('organization', '=', row.organization)
      .where('id', '=', row.id)
      .where('told_at', 'is', null)
      .returningAll()
      .executeTakeFirst()
    if (told === undefined) return
    const data = { approval: await shown({ ...deps, database: transaction }, told) }
    const { organization } = row
    await recordEvent(transaction, {
      ...{ organization, kind: 'policy.approval.resolved', data, at: now() },
    })
  })
}
