import { z } from 'zod'

import { changeRequest, pendingChange } from './change-request.ts'
import { endpoint } from './endpoint.ts'
import { pageOf, pageQuery } from './page.ts'
import { nothing } from './paths.ts'
import { receipt } from './receipt.ts'
import { date, id, name } from './words.ts'

/**
 * Whether it is a policy says `policy/read.ts`, which knows what goes with what and names what it
 * does not understand; here is its outline.
 */
const body = z.strictObject({
  name,
  activityKind: z.string(),
  rule: z.record(z.string(), z.unknown()),
  action: z.record(z.string(), z.unknown()),
  filters: z.record(z.string(), z.unknown()).optional(),
})
const policyId = z.strictObject({ policyId: id })

const policy = z.object({
  id: z.string(),
  status: z.enum(['Active', 'Archived']),
  name: z.string(),
  activityKind: z.string(),
  rule: z.record(z.string(), z.unknown()),
  action: z.record(z.string(), z.unknown()),
  filters: z.record(z.string(), z.unknown()).optional(),
  dateCreated: date,
  dateUpdated: date,
})
export type Policy = z.output<typeof policy>

export const createPolicy = endpoint('policies.createPolicy', {
  summary: 'Make a policy, in force at once. 202 where a policy of yours wants new ones approved.',
  body,
  returns: z.union([policy, changeRequest]),
})

export const listPolicies = endpoint('policies.listPolicies', {
  summary: 'Policies, page by page.',
  query: z.object({ ...pageQuery, status: z.enum(['Active', 'Archived']).optional() }),
  returns: pageOf(policy.extend(pendingChange)),
})

export const getPolicy = endpoint('policies.getPolicy', {
  summary: 'One policy, and the change that waits for approval.',
  params: policyId,
  returns: policy.extend(pendingChange),
})

export const updatePolicy = endpoint('policies.updatePolicy', {
  summary: 'Replace a policy by another of the same kind of activity. 202 if a policy holds that.',
  params: policyId,
  body,
  returns: z.union([policy, changeRequest]),
})

export const archivePolicy = endpoint('policies.archivePolicy', {
  summary: 'Take a policy out of force, for ever. 202 if a policy holds that.',
  params: policyId,
  body: nothing,
  returns: z.union([policy.extend(receipt), changeRequest]),
})

const days = 90
const request = z.strictObject({
  walletId: id.optional(),
  keyId: id.optional(),
  kind: z.enum(['Transfer', 'Transaction', 'Signature']),
  body: z.record(z.string(), z.unknown()),
})
const verdict = {
  verdict: z.enum(['Allowed', 'Held', 'Blocked']),
  triggered: z.boolean(),
  reason: z.string(),
}
const rehearsed = z.object({
  /** Of what the request has made, such as a transfer. */
  requestId: z.string().optional(),
  operation: z.string(),
  date,
  ...verdict,
})

export const simulatePolicy = endpoint('quorate.simulatePolicy', {
  summary:
    'What a policy would have held or blocked, had it been in force, and what it says of one request. Nothing follows from it.',
  body: z.strictObject({
    policy: body,
    /** So far back; a month unless said. */
    days: z.int().min(1).max(days).optional(),
    request: request.optional(),
  }),
  returns: z.object({
    since: date,
    /** Looked at, the newest first. */
    requests: z.int(),
    /** There were more: these are the newest. */
    isCut: z.boolean(),
    /** Of which nobody can tell any more. */
    unknown: z.int(),
    held: z.int(),
    blocked: z.int(),
    triggered: z.array(rehearsed),
    request: z.object(verdict).optional(),
  }),
})
export type Simulation = z.output<typeof simulatePolicy.returns>
