import { requestHash } from '@quorate/authority/request'
import type { Evidence } from '@quorate/authority/step'
import type { StreamId } from '@quorate/authority/stream'
import type { Log } from '../auth/log.ts'
import type { Database } from '../database/database.ts'
import { approvalFor } from './find.ts'
import type { ApprovalRow } from './tables.ts'

export type OpenDeps = {
  readonly database: Database
  readonly log: Pick<Log, 'settle'>
}

/**
 * After `policy.held`: has the approvers asked, with the very evidence that was refused. Asked again,
 * it finds what stands. What becomes of it, the `Resolver` of its operation hears.
 *
 * @param ask.stream where the request itself will stand: the organization's root, or the key's
 * @throws Failure `request.refused`, `policy.blocked`, `signers.unavailable`
 */
export async function openApproval(
  { database, log }: OpenDeps,
  ask: {
    readonly organization: Uint8Array
    readonly stream: StreamId
    readonly evidence: Evidence
  },
): Promise<ApprovalRow> {
  const { organization, evidence } = ask
  const request = requestHash(evidence.preimage)
  const found = await approvalFor(database, organization, request)
  if (found !== undefined) return found
  await log.settle({ ...ask, kind: 'approval' })
  const row = await approvalFor(database, organization, request)
  if (row === undefined) throw new TypeError('an approval in force has its row')
  return row
}
