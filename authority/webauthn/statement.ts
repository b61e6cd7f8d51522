import { concat } from '@quorate/core/bytes'
import { refuse } from '../attempt.ts'
import { verifySignature } from '../public-key.ts'
import type { AttestedCredential } from './authenticator-data.ts'
import type { Cbor, CborMap } from './cbor.ts'
import type { PasskeyKey } from './cose.ts'

/** What an attestation statement speaks of (Web Authentication, section 6.5). */
export type Attested = {
  readonly statement: CborMap
  readonly authenticatorData: Uint8Array
  readonly clientDataHash: Uint8Array
  readonly relyingPartyHash: Uint8Array
  readonly credential: AttestedCredential
  readonly key: PasskeyKey
}

/**
 * Whose signature a statement holds. `credential`: the new key's own, over this challenge, which
 * proves that whoever registers holds it. `attester`: of somebody who has a certificate; as no
 * chain is followed to a root, anybody may have made that certificate, and it proves nothing.
 */
export type Signer = 'credential' | 'attester' | 'nobody'

/** What the authenticator signs, in most formats. */
export function signedBytes({ authenticatorData, clientDataHash }: Attested): Uint8Array {
  return concat(authenticatorData, clientDataHash)
}

/** @throws Failure `request.refused` when a member is missing or too many */
export function expectMembers(statement: CborMap, names: readonly string[]): void {
  if (statement.size !== names.length || !names.every((name) => statement.has(name)))
    refuse('the attestation statement has not the members of its format')
}

/** @throws Failure `request.refused` */
export function bytesOf(value: Cbor | undefined): Uint8Array {
  return value instanceof Uint8Array
    ? value
    : refuse('the attestation statement is not well-formed')
}

/** @throws Failure `request.refused` */
export function expectSignature(
  spki: Uint8Array,
  message: Uint8Array,
  signature: Cbor | undefined,
): void {
  if (!verifySignature(spki, message, bytesOf(signature)))
    refuse('the signature of the attestation is not valid')
}
