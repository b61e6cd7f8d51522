import { streamCodec } from '@quorate/authority/stream'
import { decode } from '@quorate/core/codec'
import type { Concluding } from '../auth/log.ts'
import type { Database } from '../database/database.ts'
import { approvalOf, statusOf, type ApprovalStatus } from './find.ts'
import type { ApprovalRow } from './tables.ts'

/**
 * A decision bears the time of its step, and may be in force some time later: nobody ends what has
 * expired before it is certain that none is on its way.
 */
export const graceMs = 30_000

/**
 * What has become of it, for whoever ends what it is for. Approvers may have decided without any server's having
 * written that down: so before it counts as expired, whatever was proposed in its stream comes to its end.
 * @returns the row as it is by then, `Pending` as long as there may yet be another word
 * @throws Failure `signers.unavailable`, `signing.failed`, `clock.wrong`
 */
export async function endOf(
  deps: { readonly database: Database; readonly log: Concluding },
  row: ApprovalRow,
  now: number,
): Promise<{ readonly status: ApprovalStatus; readonly approval: ApprovalRow }> {
  const status = statusOf(row, now)
  if (status !== 'Expired') return { status, approval: row }
  if (now < row.expires_at + graceMs) return { status: 'Pending', approval: row }
  await deps.log.conclude(row.organization, decode(streamCodec, row.stream))
  const approval = await approvalOf(deps.database, row.organization, row.approval_id)
  return { status: statusOf(approval, now), approval }
}
