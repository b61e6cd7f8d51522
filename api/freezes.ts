import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { receipt } from './receipt.ts'
import { id } from './words.ts'

const frozen = z.object({
  id: z.string(),
  kind: z.enum(['Organization', 'User', 'Key']),
  status: z.enum(['Active', 'Ended']),
  ...receipt,
})

export const freeze = endpoint('quorate.freeze', {
  summary: 'Stop a user or a key; without either, the whole organization, by its root quorum.',
  body: z
    .strictObject({ userId: id.optional(), keyId: id.optional() })
    .refine(
      ({ userId, keyId }) => userId === undefined || keyId === undefined,
      'of a user or of a key',
    ),
  returns: frozen,
})

export const unfreeze = endpoint('quorate.unfreeze', {
  summary: 'Let what was frozen go on, by a member of the root quorum who is not frozen himself.',
  params: z.strictObject({ freezeId: id }),
  body: z.strictObject({}),
  returns: frozen,
})
