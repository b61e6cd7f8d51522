import { randomBytes } from 'node:crypto'
import { toBase64url, toHex } from '@quorate/core/bytes'
import {
  challengeOf,
  commitTo,
  encodePreimage,
  requestHash,
  type Preimage,
} from '@quorate/authority/request'

/** How long a challenge may wait for its signature, and a signed request for its execution. */
export const signWithinMs = 10 * 60_000
const executeWithinMs = 7 * 24 * 60 * 60_000

/** A pre-image with everything that goes by itself: nonce, commitments and times. */
export function makeChallenge(
  asked: Pick<Preimage, 'purpose' | 'path'> &
    Partial<Pick<Preimage, 'organization' | 'user' | 'token' | 'subjects' | 'maxFee' | 'method'>>,
  payload: string,
  now: number,
  withinMs = signWithinMs,
): Challenge {
  const salt = new Uint8Array(randomBytes(32))
  const preimage = encodePreimage({
    purpose: asked.purpose,
    organization: asked.organization,
    user: asked.user,
    token: asked.token,
    method: asked.method ?? 'POST',
    path: asked.path,
    ...commitTo(payload, salt),
    verification: 'none',
    subjects: asked.subjects ?? [],
    maxFee: asked.maxFee,
    nonce: new Uint8Array(randomBytes(32)),
    issuedAt: now,
    signBefore: now + withinMs,
    executeBefore: now + executeWithinMs,
  })
  return { preimage, salt, request: requestHash(preimage), signBefore: now + withinMs }
}

export type Challenge = {
  readonly preimage: Uint8Array
  readonly salt: Uint8Array
  readonly request: Uint8Array
  readonly signBefore: number
}

/** As clients get it: the pre-image beside its hash, so that they can see what they sign. */
export function written({ preimage, salt }: Pick<Challenge, 'preimage' | 'salt'>) {
  return {
    challenge: challengeOf(preimage),
    preimage: toBase64url(preimage),
    salt: toHex(salt),
  }
}

/** @param credIds of this very user or token: official signers refuse to sign with any other */
export function assertionChallenge(
  challenge: Pick<Challenge, 'preimage' | 'salt'>,
  challengeIdentifier: string,
  credIds: readonly string[],
) {
  const key = credIds.map((id) => ({ type: 'public-key' as const, id }))
  return {
    ...written(challenge),
    challengeIdentifier,
    supportedCredentialKinds: [
      { kind: 'Key' as const, factor: 'first' as const, requiresSecondFactor: false },
    ],
    userVerification: 'required' as const,
    attestation: 'none' as const,
    allowCredentials: { key, webauthn: [] },
    externalAuthenticationUrl: '',
  }
}
