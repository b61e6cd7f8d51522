import { equalBytes } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { hashOf } from '@quorate/core/hash'
import {
  approvalTable,
  decisionsMax,
  denialTable,
  heldTable,
  holdingPoliciesMax,
  openingCodec,
  requestTable,
} from '../records.ts'
import {
  blockedReason,
  groupsOf,
  isMember,
  isSatisfied,
  mayApprove,
  type Approval,
} from './approved.ts'
import { subjectId, type Authored } from './author.ts'
import type { Gate } from './gate.ts'
import { definitionOf } from './definitions.ts'
import { find, refuse, type Judging } from './judging.ts'
import { own } from './held.ts'
import { objectOf, put, type Reduced } from './writes.ts'

type Opening = Approval['opening']

/**
 * An approval's id: whoever decides on it has decided on this request, for these policies as they
 * were, with this bound on fees and this deadline, and on nothing that the server makes of it.
 */
export function approvalId(opening: Opening): Uint8Array {
  return hashOf('quorate/approval/1', encode(openingCodec, opening))
}

/** Policies want this approved: it waits, in the stream where it will stand. */
export function reduceApproval(judging: Judging, { user }: Authored, gate: Gate): Reduced {
  const { request, preimage } = judging
  if (gate.verdict === 'deny') refuse(blockedReason + gate.reason)
  if (gate.heldBy.length === 0) refuse('no policy holds the request')
  if (gate.heldBy.length > holdingPoliciesMax) refuse('too many policies hold the request')
  if (own(judging, heldTable, request) !== undefined) refuse('the request is held already')
  if (own(judging, requestTable, request) !== undefined) refuse('the request has been used')
  const opening: Opening = {
    request,
    initiator: user,
    policies: gate.heldBy,
    maxFee: preimage.maxFee,
    expiresAt: deadlineOf(judging, gate),
  }
  const approval = approvalId(opening)
  return {
    operation: { kind: 'approval', approval, opening },
    writes: [
      put(approvalTable, [approval], { opening, status: 'pending', decisions: [] }),
      put(heldTable, [request], { approval }),
    ],
  }
}

/** The earliest that any policy wants, and never later than the request may be used. */
function deadlineOf({ rules, step, preimage, ...judging }: Judging, { heldBy }: Gate): number {
  const whole = { ...judging, rules, step, preimage }
  const timeouts = heldBy.flatMap(({ definition }) => {
    const { autoRejectTimeout } = rules.policies.view(definitionOf(whole, definition))
    return autoRejectTimeout === undefined ? [] : [step.time + autoRejectTimeout * minuteMs]
  })
  return Math.min(preimage.executeBefore, ...timeouts)
}
const minuteMs = 60_000

export const notApproverReason = 'the user is no approver of this'

/** `POST /v2/policy-approvals/:approvalId/decisions` */
export function reduceDecision(judging: Judging, authored: Authored): Reduced {
  const id = subjectId(judging, 'approvalId')
  const approval = own(judging, approvalTable, id) ?? refuse('there is no such approval')
  const { opening } = approval
  const isOver =
    approval.status !== 'pending' ||
    judging.step.time > opening.expiresAt ||
    find(judging, denialTable, id) !== undefined
  if (isOver) refuse('the approval is not pending')
  const { user } = authored
  if (approval.decisions.some((one) => equalBytes(one.user, user))) refuse('the user has decided')
  if (approval.decisions.length >= decisionsMax) refuse('too many have decided')
  const value = valueIn(authored)
  const groups = groupsOf(judging, opening.policies)
  const isHis = groups.some((group) =>
    value === 'denied'
      ? isMember(judging, group, user)
      : mayApprove(judging, group, { user, opening }),
  )
  if (!isHis) refuse(notApproverReason)
  const [fingerprint] = authored.fingerprints
  if (fingerprint === undefined) return refuse('nobody has signed')
  const decisions = [...approval.decisions, { user, fingerprint, value }]
  const status =
    value === 'denied'
      ? 'denied'
      : isSatisfied(judging, { opening, decisions }, groups)
        ? 'approved'
        : 'pending'
  return {
    operation: { kind: 'decision', approval: id, value, status },
    writes: [put(approvalTable, [id], { opening, status, decisions })],
  }
}

function valueIn({ body }: Authored): 'approved' | 'denied' {
  const { value } = objectOf(body)
  if (value === 'Approved') return 'approved'
  return value === 'Denied' ? 'denied' : refuse('value is neither Approved nor Denied')
}
