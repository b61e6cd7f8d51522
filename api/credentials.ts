import { z } from 'zod'

import { credentialKind, newCredentialChallenge } from './challenge.ts'
import { endpoint } from './endpoint.ts'
import { addedCredential } from './new-credential.ts'
import { nothing } from './paths.ts'
import { receipt } from './receipt.ts'
import { date, id } from './words.ts'

const message = z.object({ message: z.string() })
/** Without a receipt for what no signer knows. */
const ended = message.extend(z.object(receipt).partial().shape)
/** `rank`, `fingerprint` (hex) and `words` are ours: empty for what no signer believes. */
const credential = z.object({
  kind: credentialKind,
  credentialId: z.string(),
  credentialUuid: z.string(),
  dateCreated: date,
  isActive: z.boolean(),
  name: z.string(),
  publicKey: z.string(),
  relyingPartyId: z.string(),
  origin: z.string(),
  rank: z.enum(['unconfirmed', 'confirmed']).optional(),
  fingerprint: z.string().optional(),
  words: z.array(z.string()).optional(),
})
export type Credential = z.input<typeof credential>

export const createCredentialChallenge = endpoint('auth.createCredentialChallenge', {
  summary: 'Begin to add a credential of your own.',
  body: z.strictObject({ kind: credentialKind }),
  returns: newCredentialChallenge,
})

export const createCredential = endpoint('auth.createCredential', {
  summary: 'Add a credential of your own; one that signs already signs for it.',
  body: addedCredential,
  returns: credential,
})

export const listCredentials = endpoint('auth.listCredentials', {
  summary: 'Your own credentials; the documented answer has no pages.',
  returns: z.object({ items: z.array(credential) }),
})

const named = z.strictObject({ credentialUuid: id })
export const activateCredential = endpoint('auth.activateCredential', {
  summary: 'Let a credential of your own sign again.',
  body: named,
  returns: message,
})

export const deactivateCredential = endpoint('auth.deactivateCredential', {
  summary: 'Keep a credential of your own from signing.',
  body: named,
  returns: ended,
})

export const deleteCredential = endpoint('auth.deleteCredential', {
  summary: 'End a credential of your own, for good.',
  params: named,
  body: nothing,
  returns: ended,
})

export const createCredentialCode = endpoint('auth.createCredentialCode', {
  summary: 'Get a code with which another device of yours adds a credential, within a minute.',
  body: z.strictObject({ expiration: z.union([z.string().max(64), z.int().positive()]) }),
  returns: z.object({ code: z.string(), expiration: date }),
})

const code = z.string().min(1).max(64)
export const createCredentialChallengeWithCode = endpoint(
  'auth.createCredentialChallengeWithCode',
  {
    summary: 'Begin to add a credential with a code.',
    body: z.strictObject({ credentialKind, code }),
    returns: newCredentialChallenge,
  },
)

export const createCredentialWithCode = endpoint('auth.createCredentialWithCode', {
  summary: 'Add a credential with a code: it may log in, and signs when somebody has confirmed it.',
  body: addedCredential,
  returns: credential,
})
