import { z } from 'zod'

import { signedStatementBytesMax } from '@quorate/authority/statement'

import { endpoint } from './endpoint.ts'
import { nothing } from './paths.ts'
import { receipt } from './receipt.ts'
import { hexBytes, id } from './words.ts'

const frozen = z.object({
  id: z.string(),
  kind: z.enum(['Organization', 'User', 'Key']),
  status: z.enum(['Active', 'Ended']),
  ...receipt,
})

export const freeze = endpoint('quorate.freeze', {
  summary: 'Stop a user or a key; without either, the whole organization, by its root quorum.',
  body: z
    .strictObject({
      userId: id.optional(),
      keyId: id.optional(),
      /** In hex: enters what signers have from their mailbox, so that it can be lifted one day. */
      statement: hexBytes.max(2 * signedStatementBytesMax).optional(),
    })
    .refine(
      (body) => Object.values(body).filter((one) => one !== undefined).length <= 1,
      'of a user, of a key, or by a statement',
    ),
  returns: frozen,
})

export const unfreeze = endpoint('quorate.unfreeze', {
  summary: 'Let what was frozen go on, by a member of the root quorum who is not frozen himself.',
  params: z.strictObject({ freezeId: id }),
  body: nothing,
  returns: frozen,
})
