import { z } from 'zod'

import { supportedKinds } from './unsupported.ts'

const credentialKind = z.enum([
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
    webauthn: z.array(publicKeyHandle),
  }),
  externalAuthenticationUrl: z.string(),
  preimage: z.string(),
  salt: z.string(),
})

/** Text of an encoded field: clientData with room for foreign members, or an RSA signature. */
const encoded = z.string().min(1).max(8192)

const keyAssertion = z.strictObject({
  credId: z.string().min(1).max(1024),
  clientData: encoded,
  signature: encoded,
  algorithm: z.string().max(32).optional(),
})
export const firstFactor = supportedKinds(
  z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('Key'), credentialAssertion: keyAssertion }),
  ]),
  ['Key'],
)

/** A signed token of ours, so not short; still no place to keep things in. */
export const challengeIdentifier = z.string().min(1).max(8192)

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
