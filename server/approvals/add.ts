import type { Body } from '@quorate/authority/body'
import { decodeBody } from '@quorate/authority/body'
import { matchOperation, type Match } from '@quorate/authority/operations'
import { openingCodec } from '@quorate/authority/records'
import { activityKindOf } from '@quorate/authority/reduce/gate'
import { nameOfCause } from '@quorate/authority/reduce/cause'
import { decodePreimage } from '@quorate/authority/request'
import type { Evidence, Item, ItemOperation } from '@quorate/authority/step'
import { toHex } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { hashOf } from '@quorate/core/hash'
import { createdName, nameOf } from '@quorate/core/id'
import { isObject, parseJson } from '@quorate/core/json'
import { readIntent, type DerivationIntent } from '@quorate/effects/intent'
import type { DatabaseTransaction } from '../database/database.ts'

type At = {
  readonly organization: Uint8Array
  /** Canonical. */
  readonly stream: Uint8Array
  readonly seq: number
}
type Of<Kind> = Extract<ItemOperation, { kind: Kind }>

/** Are there rows that `addApprovals` would make of it? */
export function hasApprovals(body: Uint8Array): boolean {
  return decodeBody(body).step.items.some(
    ({ operation: { kind } }) => kind === 'approval' || kind === 'decision',
  )
}

/**
 * The rows of approvals that a step opens, and of decisions that it holds: in the transaction in which
 * the step itself is kept, whichever stream it is of, so that there is never one without the other.
 */
export async function addApprovals(
  transaction: DatabaseTransaction,
  at: At,
  body: Uint8Array,
): Promise<void> {
  const { step, evidence }: Body = decodeBody(body)
  for (const [item, { operation, cause }] of step.items.entries()) {
    const beside = evidence[item]
    if (beside === undefined) throw new TypeError('a certified step has evidence for every item')
    const stands = { ...at, item, time: step.time }
    if (operation.kind === 'approval')
      await addApproval(transaction, { ...stands, cause, operation }, beside)
    if (operation.kind === 'decision')
      await addDecision(transaction, { ...stands, operation }, beside)
  }
}

type Opened = At & {
  readonly item: number
  readonly time: number
  readonly cause: Item['cause']
  readonly operation: Of<'approval'>
}

async function addApproval(
  transaction: DatabaseTransaction,
  { organization, stream, seq, item, time, cause, operation }: Opened,
  { preimage, payload }: Evidence,
): Promise<void> {
  const { approval, opening } = operation
  const { method, path, token } = decodePreimage(preimage)
  const match = matchOperation(method, path)
  const activityKind = match && activityKindOf(match.name)
  if (match === undefined || activityKind === undefined)
    throw new TypeError('policies hold no such request')
  await transaction
    .insertInto('approvals')
    .values({
      ...{ organization, id: approval, approval_id: nameOf('approval', approval) },
      ...{ stream, seq, item, request: nameOfCause(cause) },
      initiator_id: nameOf('user', opening.initiator),
      token_id: token === undefined ? null : nameOf('token', token.id),
      ...{ operation: match.name, activity_kind: activityKind },
      ...namesIn(match, payload, nameOfCause(cause)),
      opening: encode(openingCodec, opening),
      ...{ status: 'Pending', expires_at: opening.expiresAt },
      ...{ created_at: time, updated_at: time, lease_until: 0, attempts: 0 },
    })
    .execute()
}

/** What a change is of, and what no second one may be about meanwhile; what a derivation gives. */
export function namesIn({ name, params }: Match, payload: string, request: Uint8Array) {
  const { permissionId = '', policyId = '', assignmentId = '' } = params
  const of = (entity_id: string, about = entity_id) => ({ entity_id, about })
  switch (name) {
    case 'permissions.updatePermission':
    case 'permissions.archivePermission':
      return of(permissionId)
    case 'permissions.deleteAssignment':
      return of(assignmentId)
    case 'permissions.createAssignment':
      return of(createdName(request, 'assignment'), `${permissionId} ${identityIn(payload)}`)
    case 'policies.updatePolicy':
    case 'policies.archivePolicy':
      return of(policyId)
    case 'policies.createPolicy':
      return of(createdName(request, 'policy'))
    case 'keys.deriveKey':
      return { entity_id: null, about: derivationAbout(params['keyId'] ?? '', payload) }
    default:
      return { entity_id: null, about: null }
  }
}

function identityIn(payload: string): string {
  const body = parseJson(payload)
  const identityId = isObject(body) ? body['identityId'] : undefined
  return typeof identityId === 'string' ? identityId : ''
}

/** Two requests about the same are given the same, whenever they are made. */
export function derivationAbout(keyId: string, payload: string): string {
  const { domain, seed } = derivationIn(payload)
  return `${keyId} ${toHex(hashOf('quorate/derivation-about/1', domain, seed))}`
}

export function derivationIn(payload: string): DerivationIntent {
  const read = readIntent('derivation', payload)
  if (!read.ok || read.intent.kind !== 'derivation')
    throw new TypeError('what is held was read before')
  return read.intent
}

type Decided = At & { readonly time: number; readonly operation: Of<'decision'> }

async function addDecision(
  transaction: DatabaseTransaction,
  { organization, time, operation }: Decided,
  { preimage, payload }: Evidence,
): Promise<void> {
  const { approval, value, status } = operation
  const { user } = decodePreimage(preimage)
  if (user === undefined) throw new TypeError('somebody decides')
  await transaction
    .insertInto('approval_decisions')
    .values({
      ...{ organization, approval, user },
      ...{ value: value === 'approved' ? 'Approved' : 'Denied', reason: reasonIn(payload) },
      decided_at: time,
    })
    .execute()
  const isOver = status !== 'pending'
  await transaction
    .updateTable('approvals')
    .set({
      status: words[status],
      updated_at: time,
      ...(isOver ? { resolved_at: time, due_at: time } : {}),
    })
    .where('organization', '=', organization)
    .where('id', '=', approval)
    .execute()
}

const words = { pending: 'Pending', approved: 'Approved', denied: 'Denied' } as const

/** Nothing once it has been erased. */
function reasonIn(payload: string): string | null {
  const body = parseJson(payload)
  const reason = isObject(body) ? body['reason'] : undefined
  return typeof reason === 'string' ? reason : null
}
