import { concat } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { attempt } from '../attempt.ts'
import { verifySignature } from '../public-key.ts'
import { readAuthenticatorData } from './authenticator-data.ts'
import { originOf } from './client-data.ts'
import { isFor, isVerified, serves, type PasskeyPolicy } from './relying-party.ts'

export type PasskeyAssertion = PasskeyPolicy & {
  /** Of the credential, as its registration has fixed them: the key says its algorithm. */
  readonly spki: Uint8Array
  readonly relyingParty: string
  /** The 43 characters of the request. */
  readonly challenge: string
  readonly clientData: Uint8Array
  readonly authenticatorData: Uint8Array
  readonly signature: Uint8Array
}

/**
 * Did this passkey sign this challenge, asked by a page of its relying party? Web Authentication,
 * Level 3, section 7.2, steps 9 to 21. The counter is not looked at: requests that are held or
 * made at once would be refused, and most passkeys count nothing.
 */
export function verifyPasskeyAssertion(given: PasskeyAssertion): boolean {
  const { spki, relyingParty, challenge, clientData, authenticatorData, signature } = given
  const origin = originOf(clientData, { type: 'webauthn.get', challenge })
  if (origin === undefined || !serves(given.relyingParties, { id: relyingParty, origin }))
    return false
  const data = attempt(() => readAuthenticatorData(authenticatorData))
  // Section 6.1: attested credential data belongs to a registration.
  if (data === undefined || data.attested !== undefined) return false
  if (!isFor(data, relyingParty) || !isVerified(data, given.verification)) return false
  return verifySignature(spki, concat(authenticatorData, sha256(clientData)), signature)
}
