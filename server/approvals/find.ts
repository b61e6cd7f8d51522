import { decodeBody } from '@quorate/authority/body'
import type { Evidence } from '@quorate/authority/step'
import { Failure, isFailure } from '@quorate/core/failure'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import type { ApprovalRow } from './tables.ts'

export type ApprovalStatus = 'Pending' | 'Approved' | 'Denied' | 'Expired'

/**
 * Nobody writes down that an approval has expired: after its time nobody can decide on it any more,
 * whoever looks.
 */
export function statusOf(
  { status, expires_at: expiresAt }: Pick<ApprovalRow, 'status' | 'expires_at'>,
  now: number,
): ApprovalStatus {
  return status === 'Pending' && now > expiresAt ? 'Expired' : status
}

/** @throws Failure `approval.not_found` */
export async function approvalOf(
  database: Database | DatabaseTransaction,
  organization: Uint8Array,
  approvalId: string,
): Promise<ApprovalRow> {
  const row = await database
    .selectFrom('approvals')
    .selectAll()
    .where('organization', '=', organization)
    .where('approval_id', '=', approvalId)
    .executeTakeFirst()
  if (row === undefined) throw new Failure('approval.not_found', { approvalId })
  return row
}

/** The approval that a request waits for, or has waited for. */
export function approvalFor(
  database: Database | DatabaseTransaction,
  organization: Uint8Array,
  request: Uint8Array,
): Promise<ApprovalRow | undefined> {
  return database
    .selectFrom('approvals')
    .selectAll()
    .where('organization', '=', organization)
    .where('request', '=', request)
    .executeTakeFirst()
}

/** Whoever repeats what is held, after its approvers have been asked, hears that it waits. */
export async function isHeldFor(
  database: Database,
  { organization, request }: Pick<ApprovalRow, 'organization' | 'request'>,
  error: unknown,
): Promise<boolean> {
  if (isFailure(error, 'policy.held')) return true
  if (!isFailure(error, 'request.refused')) return false
  return (await approvalFor(database, organization, request)) !== undefined
}

/** The held request as it was signed, or what erasure has left of it. */
export async function heldEvidence(
  database: Database | DatabaseTransaction,
  { organization, stream, seq, item }: ApprovalRow,
): Promise<Evidence> {
  const { body } = await database
    .selectFrom('steps')
    .select('body')
    .where('organization', '=', organization)
    .where('stream', '=', stream)
    .where('seq', '=', seq)
    .executeTakeFirstOrThrow()
  const evidence = decodeBody(body).evidence[item]
  if (evidence === undefined) throw new TypeError('a certified step has evidence for every item')
  return evidence
}
