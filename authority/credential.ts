import { fromBase64url, fromUtf8, toHex } from '@quorate/core/bytes'
import { bytes, list, option, struct } from '@quorate/core/codec'
import type { Decoded } from '@quorate/core/codec'
import { hashOf } from '@quorate/core/hash'
import { isObject, parseJson } from '@quorate/core/json'
import { attempt } from './attempt.ts'
import { clientDataBytesMax, readClientData } from './client-data.ts'
import { verifySignature } from './public-key.ts'
import { verifyPasskeyAssertion } from './webauthn/assertion.ts'
import type { PasskeyPolicy } from './webauthn/relying-party.ts'

/** What a user signs with, and what it takes to believe that one of them has signed a request. */
export type CredentialKind = 'Fido2' | 'Key' | 'PasswordProtectedKey' | 'RecoveryKey'

/** Flags, counter and extensions of a passkey; no credential, which only a registration has. */
export const assertedDataBytesMax = 1024

const assertion = struct({
  /** `fingerprintOf` the public key that is said to have signed. */
  fingerprint: bytes(32),
  clientData: bytes(clientDataBytesMax),
  signature: bytes(1024),
  /** Of a passkey, which signs it too; all other kinds have none. */
  authenticatorData: option(bytes(assertedDataBytesMax)),
})
export type Assertion = Decoded<typeof assertion>
/** First factor, and a second where one is asked for. */
export const assertionsCodec = list(assertion, 2)

export function fingerprintOf(spki: Uint8Array): Uint8Array {
  return hashOf('quorate/credential/1', spki)
}

export type SigningCredential = {
  readonly kind: CredentialKind
  readonly spki: Uint8Array
  /** Of a passkey: the id of the relying party that it was made for. */
  readonly relyingParty: string | undefined
}

/**
 * Did this credential sign this challenge, in the way of its kind? A recovery key never does: it
 * signs new credentials (`verifyRecovery`) and neither logs in nor acts.
 */
export function verifyAssertion(
  { kind, spki, relyingParty }: SigningCredential,
  challenge: string,
  { clientData, signature, authenticatorData }: Omit<Assertion, 'fingerprint'>,
  policy: PasskeyPolicy,
): boolean {
  if (kind === 'RecoveryKey') return false
  if (kind !== 'Fido2')
    return (
      authenticatorData === undefined &&
      verifyKeyAssertion(spki, challenge, { clientData, signature })
    )
  if (authenticatorData === undefined || relyingParty === undefined) return false
  if (authenticatorData.length > assertedDataBytesMax) return false
  const signed = { clientData, authenticatorData, signature }
  return verifyPasskeyAssertion({ spki, relyingParty, challenge, ...signed, ...policy })
}

/**
 * Did this key sign this challenge? Key kinds sign the bytes of clientData as they are; the
 * challenge inside must be the 43 characters themselves, never encoded again.
 */
export function verifyKeyAssertion(
  spki: Uint8Array,
  challenge: string,
  { clientData, signature }: Pick<Assertion, 'clientData' | 'signature'>,
): boolean {
  const read = readClientData(clientData)
  const isNamed = read?.['type'] === 'key.get' && read['challenge'] === challenge
  return isNamed && verifySignature(spki, clientData, signature)
}

/**
 * Has a client that compares requests with what it asked for made this assertion? Such a one adds
 * the request's hash as a member of its own. A stock client writes `type` and `challenge` and
 * nothing else, whatever a server sends it, so no server can bring it about. A passkey's clientData
 * is the browser's, and says nothing of the kind.
 *
 * It is a claim until `verifyAssertion` has held.
 */
export function isChecked(
  { clientData, authenticatorData }: Pick<Assertion, 'clientData' | 'authenticatorData'>,
  request: Uint8Array,
): boolean {
  if (authenticatorData !== undefined) return false
  return readClientData(clientData)?.['request'] === toHex(request)
}

/** New credentials stand in the challenge, encoded once, and the clientData encodes them again. */
export const recoveryClientDataBytesMax = 64 * 1024

/**
 * What a recovery key signs in the place of a challenge: the JSON text of the credentials that are
 * to follow. The text is an object, so it cannot be the 32 bytes that a challenge stands for.
 */
export function readRecoveryChallenge(clientData: Uint8Array): string | undefined {
  const read = readClientData(clientData, recoveryClientDataBytesMax)
  const challenge = read?.['challenge']
  if (read?.['type'] !== 'key.get' || typeof challenge !== 'string') return undefined
  const text = attempt(() => fromUtf8(fromBase64url(challenge)))
  return text !== undefined && isObject(attempt(() => parseJson(text))) ? text : undefined
}

/** @returns the JSON text of the new credentials, when this recovery key has signed it */
export function verifyRecovery(
  spki: Uint8Array,
  { clientData, signature }: Pick<Assertion, 'clientData' | 'signature'>,
): string | undefined {
  const text = readRecoveryChallenge(clientData)
  return text !== undefined && verifySignature(spki, clientData, signature) ? text : undefined
}
