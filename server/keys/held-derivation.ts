import type { HeldDerivation } from '@quorate/api/keys'
import { decodePreimage } from '@quorate/authority/request'
import type { Evidence } from '@quorate/authority/step'
import { keyStream, streamCodec } from '@quorate/authority/stream'
import { toHex } from '@quorate/core/bytes'
import { decode } from '@quorate/core/codec'
import { nameOf } from '@quorate/core/id'
import { derivationAbout, derivationIn } from '../approvals/add.ts'
import { heldEvidence, statusOf } from '../approvals/find.ts'
import { openApproval, type OpenDeps } from '../approvals/open.ts'
import type { Resolver } from '../approvals/resolver.ts'
import type { ApprovalRow } from '../approvals/tables.ts'
import { requesterOf, type Caller } from '../auth/caller.ts'
import type { Database } from '../database/database.ts'

export type HeldDeps = OpenDeps & { readonly now: () => number }
export type AskedToDerive = {
  readonly caller: Pick<Caller, 'organization' | 'userId' | 'token'>
  readonly key: Uint8Array
  readonly evidence: Evidence
}

/**
 * What he has asked for before by the same token, and had approved: the evidence on which the approvers
 * have decided, as long as it was signed for. It gives just what the new request would.
 */
export async function approvedDerivation(
  { database, now }: HeldDeps,
  asked: AskedToDerive,
): Promise<Evidence | undefined> {
  const row = await newestOf(database, asked, 'Approved')
  if (row === undefined) return undefined
  const evidence = await heldEvidence(database, row)
  return now() <= decodePreimage(evidence.preimage).executeBefore ? evidence : undefined
}

/** What it waits for: the approval that is open already for the same, or one for this very request. */
export async function holdDerivation(
  deps: HeldDeps,
  asked: AskedToDerive,
): Promise<HeldDerivation> {
  const { caller, key, evidence } = asked
  const open = await newestOf(deps.database, asked, 'Pending')
  const isOpen = open !== undefined && statusOf(open, deps.now()) === 'Pending'
  const row = isOpen
    ? open
    : await openApproval(deps, {
        organization: caller.organization,
        stream: keyStream(key),
        evidence,
      })
  return derivationOf(deps, row, evidence)
}

function newestOf(
  database: Database,
  { caller, key, evidence }: AskedToDerive,
  status: ApprovalRow['status'],
): Promise<ApprovalRow | undefined> {
  const { userId, tokenId = null } = requesterOf(caller)
  return database
    .selectFrom('approvals')
    .selectAll()
    .where('organization', '=', caller.organization)
    .where('about', '=', derivationAbout(nameOf('key', key), evidence.payload))
    .where('operation', '=', 'keys.deriveKey')
    .where('status', '=', status)
    .where('initiator_id', '=', userId)
    .where('token_id', 'is not distinct from', tokenId)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** Nobody is given the output but who asked: nothing is made before he asks again. */
export function derivationResolver(
  deps: Pick<HeldDeps, 'now'> & { readonly database: Database },
): Resolver {
  return {
    operations: ['keys.deriveKey'],
    resolved: async (_row, status) => ({
      outcome: status === 'Approved' ? 'Applied' : 'Rejected',
    }),
    shown: async (row) => {
      const derivationRequest = derivationOf(deps, row, await heldEvidence(deps.database, row))
      return { derivationRequest }
    },
  }
}

function derivationOf(
  { now }: Pick<HeldDeps, 'now'>,
  row: ApprovalRow,
  { payload }: Evidence,
): HeldDerivation {
  const stream = decode(streamCodec, row.stream)
  if (stream.kind !== 'key') throw new TypeError('a use of a key stands in its stream')
  return {
    keyId: nameOf('key', stream.id),
    requester: {
      userId: row.initiator_id,
      ...(row.token_id === null ? {} : { tokenId: row.token_id }),
    },
    requestBody: bodyIn(payload),
    status: statusOf(row, now()),
    approvalId: row.approval_id,
    dateRequested: new Date(row.created_at).toISOString(),
  }
}

/** As far as it is known of one that waits for nobody. */
export function derivationAsked({ caller, key, evidence }: AskedToDerive) {
  const requestBody = bodyIn(evidence.payload)
  return { keyId: nameOf('key', key), requester: requesterOf(caller), requestBody }
}

function bodyIn(payload: string): HeldDerivation['requestBody'] {
  const { domain, seed } = derivationIn(payload)
  return { domain: `0x${toHex(domain)}`, seed: `0x${toHex(seed)}` }
}
