import { isFailure } from '@quorate/core/failure'
import type { Outcome, Resolver } from '../approvals/resolver.ts'
import type { ApprovalRow } from '../approvals/tables.ts'
import type { Database } from '../database/database.ts'
import { anySignatureOf, type SignatureRow } from './entity.ts'
import { execute, finish, type ExecuteDeps } from './execute.ts'

const ends = {
  Denied: 'an approver has denied it',
  Expired: 'nobody has approved it in time',
} as const

/** Has signed what was held, once it is approved; ends it, if it never will be. */
export function signatureResolver(deps: ExecuteDeps): Resolver {
  const { database } = deps
  return {
    operations: ['wallets.generateSignature', 'keys.generateSignature'],
    resolved: async (approval, status) => {
      const row = await signatureFor(database, approval)
      // Nobody asked for it here: the approval was opened, and its request was never written down.
      if (row === undefined || isOver(row)) return outcomeOf(row)
      if (status === 'Approved') return resume(deps, row, approval)
      const at = status === 'Expired' ? approval.expires_at : (approval.resolved_at ?? deps.now())
      const change = { status: 'Rejected', reason: ends[status], policy_resolved_at: at } as const
      await finish(deps, row, change)
      return outcomeOf(unlessMoved(await signatureFor(database, approval)))
    },
    shown: async (approval) => {
      const row = await signatureFor(database, approval)
      return row === undefined ? {} : { signatureRequest: anySignatureOf(row) }
    },
  }
}

async function resume(
  deps: ExecuteDeps,
  row: SignatureRow,
  { approval_id, resolved_at }: ApprovalRow,
): Promise<Outcome> {
  const policy_resolved_at = row.policy_resolved_at ?? resolved_at ?? deps.now()
  const change = { status: 'Executing', approval_id, policy_resolved_at } as const
  await deps.database
    .updateTable('signature_requests')
    .set(change)
    .where('organization', '=', row.organization)
    .where('id', '=', row.id)
    .where('status', 'in', ['Pending', 'Executing'])
    .execute()
  try {
    return outcomeOf(unlessMoved(await execute(deps, { ...row, ...change })))
  } catch (error) {
    const now = await signatureFor(deps.database, row)
    if (now === undefined || !isOver(now) || !isFailure(error)) throw error
    return outcomeOf(now)
  }
}

/** Another server is at it: an approval is told as over only with what was approved. */
function unlessMoved<R extends SignatureRow | undefined>(row: R): R {
  if (row !== undefined && !isOver(row)) throw new Error('the signature has moved on meanwhile')
  return row
}

function isOver({ status }: SignatureRow): boolean {
  return status !== 'Pending' && status !== 'Executing'
}

function outcomeOf(row: SignatureRow | undefined): Outcome {
  if (row?.status === 'Signed') return { outcome: 'Applied' }
  return row?.status === 'Failed'
    ? { outcome: 'Failed', reason: row.reason ?? 'it was not signed' }
    : { outcome: 'Rejected' }
}

function signatureFor(
  database: Database,
  { organization, request }: Pick<ApprovalRow, 'organization' | 'request'>,
): Promise<SignatureRow | undefined> {
  return database
    .selectFrom('signature_requests')
    .selectAll()
    .where('organization', '=', organization)
    .where('request', '=', request)
    .executeTakeFirst()
}
