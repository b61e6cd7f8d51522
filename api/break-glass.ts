import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { nothing } from './paths.ts'
import { receipt } from './receipt.ts'
import { date, id } from './words.ts'

/** Ours: what the API leaves to a support desk, an organization does by whom it has named beforehand. */
export const breakPolicy = endpoint('quorate.breakPolicy', {
  summary:
    'Sign, as a member of the break-glass quorum, that a policy shall end without its approvers. 202 while more members must sign; once enough have, it ends after the declared wait.',
  params: z.strictObject({ policyId: id }),
  body: nothing,
  returns: z.union([
    z.object({ policyId: z.string(), status: z.literal('Waiting'), endsAt: date, ...receipt }),
    z.object({ policyId: z.string(), status: z.literal('Pending') }),
  ]),
})

export const cancelBreak = endpoint('quorate.cancelBreak', {
  summary: 'Keep the policy, as any employee with a confirmed credential.',
  params: z.strictObject({ policyId: id }),
  body: nothing,
  returns: z.object({ policyId: z.string(), status: z.literal('Cancelled'), ...receipt }),
})
