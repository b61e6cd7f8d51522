import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { pageOf, pageQuery } from './page.ts'
import { date, id } from './words.ts'

const approvalId = z.strictObject({ approvalId: id })
const status = z.enum(['Pending', 'Approved', 'Denied', 'Expired'])
const reasonLengthMax = 1_000

const approval = z.object({
  id: z.string(),
  initiatorId: z.string(),
  /** With the held thing itself, such as `transferRequest` or `changeRequest`. */
  activity: z.looseObject({ kind: z.string() }),
  status,
  expirationDate: date,
  dateCreated: date,
  dateUpdated: date,
  dateResolved: date.optional(),
  policyEvaluations: z.array(
    z.object({ policyId: z.string(), triggered: z.boolean(), reason: z.string() }),
  ),
  decisions: z.array(
    z.object({
      userId: z.string(),
      value: z.enum(['Approved', 'Denied']),
      date,
      reason: z.string().nullable(),
    }),
  ),
  /**
   * Ours: whoever approves signs a hash of this. Canonical bytes in hex; the request that it names
   * is SHA-256 of the pre-image (base64url), which commits to the payload with the salt (hex). These
   * are not there once members of the request were erased.
   */
  opening: z.string(),
  preimage: z.string().optional(),
  payload: z.string().optional(),
  salt: z.string().optional(),
})
export type Approval = z.output<typeof approval>

export const listApprovals = endpoint('policies.listApprovals', {
  summary: 'What policies hold or have held, page by page.',
  query: z.object({
    ...pageQuery,
    status: status.optional(),
    initiatorId: id.optional(),
    approverId: id.optional(),
  }),
  returns: pageOf(approval),
})

export const getApproval = endpoint('policies.getApproval', {
  summary: 'One approval, with what is asked for and all that was decided.',
  params: approvalId,
  returns: approval,
})

export const createApprovalDecision = endpoint('policies.createApprovalDecision', {
  summary: 'Approve or deny, as one of the approvers. What is approved goes on by itself.',
  params: approvalId,
  body: z.strictObject({
    value: z.enum(['Approved', 'Denied']),
    reason: z.string().max(reasonLengthMax).optional(),
  }),
  returns: approval,
})
