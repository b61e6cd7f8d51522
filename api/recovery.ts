import { z } from 'zod'

import { registrationChallenge } from './challenge.ts'
import { endpoint } from './endpoint.ts'
import { receipt } from './receipt.ts'
import { newCredentials, registered } from './new-credential.ts'
import { nothing } from './paths.ts'
import { date, id, username } from './words.ts'

const who = { username, orgId: id }
const message = z.object({ message: z.literal('success') })
/** As long as a code is, with room for what somebody types around it. */
const code = z.string().min(1).max(64)

const sending = {
  summary: 'Mail a recovery code, if there is somebody to recover; the old one is dead.',
  body: z.strictObject(who),
  returns: message,
}
export const sendRecoveryCode = endpoint('auth.sendRecoveryCode', sending)
/** Older documentation has it so. */
export const putRecoveryCode = endpoint('quorate.sendRecoveryCode', sending)

const recoveryChallenge = registrationChallenge.extend({
  /** What the owner's client has sealed his recovery key in; empty where he keeps it himself. */
  allowedRecoveryCredentials: z.array(
    z.object({ id: z.string(), encryptedRecoveryKey: z.string() }),
  ),
})
/** The name that its owner's client gave the recovery key, or ours. */
const credentialId = z.string().min(1).max(1364)

export const createRecoveryChallenge = endpoint('auth.createRecoveryChallenge', {
  summary: 'Begin a recovery, with the mailed code. Without the recovery key it has no end.',
  body: z.strictObject({ ...who, verificationCode: code, credentialId }),
  returns: recoveryChallenge,
})

export const createDelegatedRecoveryChallenge = endpoint('auth.createDelegatedRecoveryChallenge', {
  summary: 'Begin the recovery of an end user, whom the caller has identified himself.',
  body: z.strictObject({ username, credentialId }),
  returns: recoveryChallenge,
})

/** New credentials, encoded twice, and a few members around them. */
const recoveryClientDataLengthMax = 96 * 1024
const recoveryAssertion = z.strictObject({
  credId: z.string().min(1).max(1364),
  clientData: z.string().min(1).max(recoveryClientDataLengthMax),
  signature: z.string().min(1).max(8192),
  algorithm: z.string().max(32).optional(),
})
const status = z.enum(['Waiting', 'Effective', 'Cancelled'])
const recovery = z.object({ id: z.string(), effectiveAt: date, dateCreated: date, status })
const pending = z.object({ recovery: recovery.extend({ userId: z.string() }) })

/**
 * Where the organization has a waiting period the answer is 202 with `{ recovery }`, of which the
 * official client makes a `PolicyPendingError`: nothing is replaced yet, and may never be.
 */
export const recover = endpoint('auth.recover', {
  summary: 'Replace all credentials by new ones, with the signature of a recovery key over them.',
  body: z.strictObject({
    recovery: z.strictObject({
      kind: z.literal('RecoveryKey'),
      credentialAssertion: recoveryAssertion,
    }),
    newCredentials: z.strictObject(newCredentials),
  }),
  returns: z.union([pending, registered]),
})

export type RecoveryAnswer = z.input<typeof recover.returns>

const params = z.strictObject({ recoveryId: id })

export const getRecovery = endpoint('quorate.getRecovery', {
  summary: 'How it stands with a recovery, to whoever knows its id, and not whose it is.',
  params,
  returns: recovery,
})

export const cancelRecovery = endpoint('quorate.cancelRecovery', {
  summary: 'Stop a recovery of oneself that waits, with any credential that still counts.',
  params,
  body: nothing,
  returns: recovery.extend({ acknowledgedBy: receipt.acknowledgedBy }),
})
