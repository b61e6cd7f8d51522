import { z } from 'zod'

import { credIdLengthMax } from '@quorate/authority/attestation'

/** Longer than anybody types; hashing is made slow on purpose. */
export const passwordLengthMax = 256

export const credentialKind = z.enum([
  'Fido2',
  'Key',
  'Password',
  'Totp',
  'RecoveryKey',
  'PasswordProtectedKey',
])
const publicKeyHandle = z.object({ type: z.literal('public-key'), id: z.string() })

/**
 * What a credential is asked to sign. Official signers read `allowCredentials` without looking
 * whether it is there. `preimage` (base64url) and `salt` (hex) are ours: the challenge is the
 * pre-image's hash, so that a client can see for itself what it signs.
 */
export const assertionChallenge = z.object({
  challenge: z.string(),
  challengeIdentifier: z.string(),
  rp: z.object({ id: z.string(), name: z.string() }).optional(),
  supportedCredentialKinds: z.array(
    z.object({
      kind: credentialKind,
      factor: z.enum(['first', 'second', 'either']),
      requiresSecondFactor: z.boolean(),
    }),
  ),
  userVerification: z.enum(['required', 'preferred', 'discouraged']),
  attestation: z.enum(['none', 'indirect', 'direct', 'enterprise']),
  allowCredentials: z.object({
    key: z.array(publicKeyHandle),
    passwordProtectedKey: z
      .array(publicKeyHandle.extend({ encryptedPrivateKey: z.string() }))
      .optional(),
    webauthn: z.array(publicKeyHandle),
  }),
  externalAuthenticationUrl: z.string(),
  preimage: z.string(),
  salt: z.string(),
})
export type AssertionChallenge = z.input<typeof assertionChallenge>

/** Text of an encoded field: clientData with room for foreign members, or an RSA signature. */
const encoded = z.string().min(1).max(8192)

const keyAssertion = z.strictObject({
  credId: z.string().min(1).max(credIdLengthMax),
  clientData: encoded,
  signature: encoded,
  algorithm: z.string().max(32).optional(),
})
const passkeyAssertion = keyAssertion.extend({
  authenticatorData: encoded,
  /** Browsers leave it empty where the authenticator says nothing. */
  userHandle: z.string().max(128).nullish(),
})
const password = z.strictObject({
  kind: z.literal('Password'),
  password: z.string().min(1).max(passwordLengthMax),
})
const fido2 = z.strictObject({ kind: z.literal('Fido2'), credentialAssertion: passkeyAssertion })
const key = z.strictObject({ kind: z.literal('Key'), credentialAssertion: keyAssertion })
const passwordProtectedKey = z.strictObject({
  kind: z.literal('PasswordProtectedKey'),
  credentialAssertion: keyAssertion,
})
const totp = z.strictObject({ kind: z.literal('Totp'), otpCode: z.string().min(1).max(16) })

export const firstFactor = z.discriminatedUnion('kind', [
  fido2,
  key,
  passwordProtectedKey,
  password,
])
export const secondFactor = z.discriminatedUnion('kind', [fido2, key, passwordProtectedKey, totp])
export type FirstFactor = z.output<typeof firstFactor>
export type SecondFactor = z.output<typeof secondFactor>

/** A signed token of ours, so not short; still no place to keep things in. */
export const challengeIdentifier = z.string().min(1).max(8192)

/** What one more credential is made for; each kind has of it what it needs. */
export const newCredentialChallenge = z.object({
  kind: credentialKind,
  user: z.object({ id: z.string(), displayName: z.string(), name: z.string() }),
  challengeIdentifier: z.string(),
  /** The same, by its older name. */
  temporaryAuthenticationToken: z.string(),
  rp: z.object({ id: z.string(), name: z.string() }).optional(),
  challenge: z.string().optional(),
  authenticatorSelection: z
    .object({
      residentKey: z.enum(['required', 'preferred', 'discouraged']),
      requireResidentKey: z.boolean(),
      userVerification: z.enum(['required', 'preferred', 'discouraged']),
    })
    .optional(),
  attestation: z.enum(['none', 'indirect', 'direct', 'enterprise']).optional(),
  pubKeyCredParams: z.array(z.object({ type: z.literal('public-key'), alg: z.int() })).optional(),
  excludeCredentials: z.array(publicKeyHandle).optional(),
  otpUrl: z.string().optional(),
  preimage: z.string().optional(),
  salt: z.string().optional(),
})
export type NewCredentialChallenge = z.input<typeof newCredentialChallenge>

/**
 * What a newcomer's credentials are made for: all of those that he hands in sign this one challenge.
 * `pubKeyCredParams` are algorithms by their numbers in COSE (RFC 9053, RFC 8812).
 */
export const registrationChallenge = z.object({
  user: z.object({ id: z.string(), displayName: z.string(), name: z.string() }),
  temporaryAuthenticationToken: z.string(),
  challenge: z.string(),
  rp: z.object({ id: z.string(), name: z.string() }).optional(),
  supportedCredentialKinds: z.object({
    firstFactor: z.array(credentialKind),
    secondFactor: z.array(credentialKind),
  }),
  authenticatorSelection: z.object({
    residentKey: z.enum(['required', 'preferred', 'discouraged']),
    requireResidentKey: z.boolean(),
    userVerification: z.enum(['required', 'preferred', 'discouraged']),
  }),
  attestation: z.enum(['none', 'indirect', 'direct', 'enterprise']),
  pubKeyCredParams: z.array(z.object({ type: z.literal('public-key'), alg: z.int() })),
  excludeCredentials: z.array(publicKeyHandle),
  otpUrl: z.string(),
  preimage: z.string(),
  salt: z.string(),
})
