import { Failure } from '@quorate/core/failure'
import type { Concluding, Timed } from '../auth/log.ts'
import { inTransaction } from '../database/database.ts'
import { announce, tellInitiator, type AnnounceDeps } from './announce.ts'
import { endOf, graceMs } from './ended.ts'
import { explained } from './explain.ts'
import type { ApprovalStatus } from './find.ts'
import { postpone } from './lease.ts'
import { resolverOf, type Outcome } from './resolver.ts'
import type { ApprovalRow } from './tables.ts'
import { tellResolved } from './told.ts'

export type WorkDeps = AnnounceDeps & {
  readonly log: Timed & Concluding
  readonly report: {
    readonly warn: (context: object, message: string) => void
    readonly error: (context: object, message: string) => void
  }
}

/** From the first attempt that came to nothing on, twice as long each time. */
const retryMs = 250
const retryMsMax = 60_000

/**
 * Brings one approval on: explains it, has its approvers written to, waits, and at its end lets the
 * room that holds the request take it on. Every step may run again, and ends in one row's change that
 * only the first of all workers makes.
 */
export async function work(deps: WorkDeps, row: ApprovalRow): Promise<void> {
  const { database, now, report } = deps
  try {
    await explained(deps, row)
    await announce(deps, row)
    const { status, approval } = await endOf(deps, row, now())
    if (status === 'Pending') {
      await postpone(database, row, { dueAt: row.expires_at + graceMs, attempts: 0 })
      return
    }
    if (status === 'Expired') await checkClock(deps)
    await tellResolved(deps, approval)
    const resolver = resolverOf(deps, approval)
    if (resolver === undefined) throw new TypeError(`nobody holds ${row.operation}`)
    const outcome = await resolver.resolved(approval, status)
    await finish(deps, approval, { ...outcome, status })
  } catch (error) {
    report.warn(
      { err: error, approvalId: row.approval_id },
      'an approval waits for another attempt',
    )
    const wait = Math.min(retryMs * 2 ** Math.min(row.attempts, 16), retryMsMax)
    await postpone(database, row, { dueAt: now() + wait, attempts: row.attempts + 1 })
  }
}

/** Nobody's request ends by a clock that signers do not vouch for. */
async function checkClock({ log }: WorkDeps): Promise<void> {
  const clock = await log.clock()
  if (clock === 'unsure')
    throw new Failure('signing.failed', { reason: 'too few signers are there to tell the time' })
  if (clock !== 'right') throw new Failure('clock.wrong', { clock })
}

/** Whoever comes second changes nothing and tells nobody. */
async function finish(
  { database, now }: WorkDeps,
  row: ApprovalRow,
  end: Outcome & { readonly status: ApprovalStatus },
): Promise<void> {
  const reason = end.outcome === 'Failed' ? end.reason : null
  await inTransaction(database, async (transaction) => {
    const { numUpdatedRows } = await transaction
      .updateTable('approvals')
      .set({
        ...{ outcome: end.outcome, outcome_reason: reason, finished_at: now() },
        ...{ due_at: null, lease_holder: null, lease_until: 0 },
      })
      .where('organization', '=', row.organization)
      .where('id', '=', row.id)
      .where('finished_at', 'is', null)
      .executeTakeFirst()
    if (numUpdatedRows === 1n) await tellInitiator(transaction, row, { ...end, now: now() })
  })
}
