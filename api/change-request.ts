import { z } from 'zod'

import { date, requester } from './words.ts'

/** A change of who may do what that a policy holds: the answer then, with status 202. */
export const changeRequest = z.object({
  id: z.string(),
  requester,
  kind: z.enum(['Permission', 'Assignment', 'Policy']),
  operationKind: z.enum(['Create', 'Update', 'Delete']),
  status: z.enum(['Pending', 'Applied', 'Failed', 'Rejected']),
  entityId: z.string(),
  dateCreated: date,
  dateResolved: date.optional(),
  approvalId: z.string(),
  /** Ours: why it has failed. */
  reason: z.string().optional(),
  /** What the change makes of its entity, whole. */
  body: z.record(z.string(), z.unknown()),
})
export type ChangeRequest = z.output<typeof changeRequest>
/** On entities that a change waits for. */
export const pendingChange = { pendingChangeRequest: changeRequest.optional() }
