import { z } from 'zod'

import { credIdLengthMax } from '@quorate/authority/attestation'

import { challengeIdentifier, passwordLengthMax } from './challenge.ts'
import { name } from './words.ts'

/** Certificates of an authenticator and a chain of them, in base64url. */
const attestationLengthMax = 32 * 1024
const clientDataLengthMax = 8192
/** A PEM of RSA under a password is 4 kB; clients wrap it once more. */
const encryptedKeyLengthMax = 16 * 1024

export const credentialInfo = z.strictObject({
  credId: z.string().min(1).max(credIdLengthMax),
  clientData: z.string().min(1).max(clientDataLengthMax),
  attestationData: z.string().min(1).max(attestationLengthMax),
})
export const encryptedPrivateKey = z.string().min(1).max(encryptedKeyLengthMax)

const named = { credentialName: name.optional() }
const fido2 = z.strictObject({ credentialKind: z.literal('Fido2'), credentialInfo, ...named })
const key = z.strictObject({ credentialKind: z.literal('Key'), credentialInfo, ...named })
const passwordProtectedKey = z.strictObject({
  credentialKind: z.literal('PasswordProtectedKey'),
  credentialInfo,
  encryptedPrivateKey,
  ...named,
})
const recoveryKey = z.strictObject({
  credentialKind: z.literal('RecoveryKey'),
  credentialInfo,
  encryptedPrivateKey: encryptedPrivateKey.optional(),
  ...named,
})
const password = z.strictObject({
  credentialKind: z.literal('Password'),
  credentialInfo: z.strictObject({ password: z.string().min(1).max(passwordLengthMax) }),
  ...named,
})
const totp = z.strictObject({
  credentialKind: z.literal('Totp'),
  credentialInfo: z.strictObject({ otpCode: z.string().min(1).max(16) }),
  ...named,
})

const challenged = { challengeIdentifier }
/** One more of somebody who is here already, with the challenge that it was made for. */
export const addedCredential = z.discriminatedUnion('credentialKind', [
  fido2.extend(challenged),
  key.extend(challenged),
  passwordProtectedKey.extend(challenged),
  recoveryKey.extend(challenged),
  password.extend(challenged),
  totp.extend(challenged),
])

/** What a registration brings, and a recovery. */
export const newCredentials = {
  firstFactorCredential: z.discriminatedUnion('credentialKind', [
    fido2,
    key,
    passwordProtectedKey,
    password,
  ]),
  secondFactorCredential: z
    .discriminatedUnion('credentialKind', [fido2, key, passwordProtectedKey, totp])
    .optional(),
  recoveryCredential: recoveryKey.optional(),
}

/** Of the first of what was brought. */
export const registered = z.object({
  credential: z.object({ uuid: z.string(), kind: z.string(), name: z.string() }),
  user: z.object({ id: z.string(), username: z.string(), orgId: z.string() }),
})
