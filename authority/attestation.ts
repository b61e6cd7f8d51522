import { fromHex, fromUtf8, toBase64url, toHex, toUtf8 } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { sha256 } from '@quorate/core/hash'
import { isObject, parseJson, type Json, type JsonObject } from '@quorate/core/json'
import { refuse } from './attempt.ts'
import { readClientData } from './client-data.ts'
import type { CredentialKind } from './credential.ts'
import { readPublicKey, verifySignature } from './public-key.ts'
import { readAttestationObject } from './webauthn/attestation.ts'
import { originOf } from './webauthn/client-data.ts'
import { isFor, isVerified, serves, type PasskeyPolicy } from './webauthn/relying-party.ts'

/** A new credential as a client hands it in, its two texts decoded. */
export type GivenAttestation = {
  readonly kind: CredentialKind
  readonly credId: string
  readonly clientData: Uint8Array
  readonly attestationData: Uint8Array
}
export type ExpectedAttestation = PasskeyPolicy & {
  /** The 43 characters of the request. */
  readonly challenge: string
}

export type ReadAttestation =
  | {
      readonly ok: true
      readonly spki: Uint8Array
      readonly credId: string
      /** Of a passkey; it is bound to this one for ever. */
      readonly relyingParty: string | undefined
      readonly origin: string | undefined
      /**
       * Has the new key itself signed the challenge? If not, whoever registers may have named a
       * key of somebody else. A certificate proves it no better: no chain is followed to a root.
       */
      readonly proven: boolean
    }
  | { readonly ok: false; readonly reason: string }

/** A PEM of 4096 characters, a signature of RSA in hex, and their quotes. */
const keyAttestationBytesMax = 8 * 1024
/** The longest id that a passkey may have, as base64url. */
export const credIdLengthMax = 1364

/** Is this a new credential, made for this very challenge? Foreign bytes get an answer, not a throw. */
export function readAttestation(
  given: GivenAttestation,
  expected: ExpectedAttestation,
): ReadAttestation {
  try {
    if (given.credId === '' || given.credId.length > credIdLengthMax)
      refuse('the id of the credential is empty or too long')
    const read = given.kind === 'Fido2' ? readPasskey(given, expected) : readKey(given, expected)
    return { ok: true, credId: given.credId, ...read }
  } catch (error) {
    if (isFailure(error, 'request.refused')) return { ok: false, reason: error.context.reason }
    if (isFailure(error)) return { ok: false, reason: 'the attestation is not well-formed' }
    throw error
  }
}

type Read = Omit<Extract<ReadAttestation, { ok: true }>, 'ok' | 'credId'>

/** Web Authentication, Level 3, section 7.1, steps 6 to 22. */
function readPasskey(given: GivenAttestation, expected: ExpectedAttestation): Read {
  const { challenge, relyingParties, verification } = expected
  const origin =
    originOf(given.clientData, { type: 'webauthn.create', challenge }) ??
    refuse('the passkey was not made for this challenge')
  const passkey = readAttestationObject(given.attestationData, sha256(given.clientData))
  const { data, credential, key, signer } = passkey
  const party = relyingParties.find(
    ({ id }) => isFor(data, id) && serves(relyingParties, { id, origin }),
  )
  if (party === undefined) return refuse('the passkey is of another relying party or origin')
  if (!isVerified(data, verification)) refuse('the passkey has not verified its user')
  if (toBase64url(credential.id) !== given.credId) refuse('the passkey has another id')
  return { spki: key.spki, relyingParty: party.id, origin, proven: signer === 'credential' }
}

/**
 * Keys sign a text of two members, the hash of the clientData and the PEM as it stands in the
 * attestation, and write the signature in hex.
 */
function readKey(given: GivenAttestation, { challenge }: ExpectedAttestation): Read {
  const clientData = readClientData(given.clientData)
  if (clientData === undefined || clientData['type'] !== 'key.create')
    return refuse('the clientData does not create a key')
  if (!namesChallenge(given.kind, clientData['challenge'], challenge))
    refuse('the key was not made for this challenge')
  const { publicKey, signature } = readKeyAttestation(given.attestationData)
  const spki = readPublicKey(publicKey) ?? refuse('the public key is not usable')
  // Some clients hash what they send, others its members in alphabetical order.
  const sorted = toUtf8(sortedJson(clientData))
  const isSigned = [given.clientData, sorted].some((hashed) =>
    verifySignature(spki, fingerprintText(hashed, publicKey), signature),
  )
  if (!isSigned) refuse('the signature of the attestation is not valid')
  return { spki, relyingParty: undefined, origin: undefined, proven: true }
}

/**
 * A sample of the API's documentation encodes the challenge once more, for these two kinds. The
 * one is of 43 characters and the other of 58, so that no text can be both.
 */
function namesChallenge(kind: CredentialKind, named: Json | undefined, challenge: string): boolean {
  if (named === challenge) return true
  return kind !== 'PasswordProtectedKey' && named === toBase64url(toUtf8(challenge))
}

function readKeyAttestation(bytes: Uint8Array): { publicKey: string; signature: Uint8Array } {
  if (bytes.length > keyAttestationBytesMax) return refuse('the attestation is too long')
  const read = parseJson(fromUtf8(bytes))
  const { publicKey, signature, algorithm } = isObject(read) ? read : {}
  if (typeof publicKey !== 'string' || typeof signature !== 'string')
    return refuse('the attestation is not well-formed')
  if (algorithm !== undefined && !digests.has(algorithm))
    refuse('the attestation is of another digest than SHA-256')
  return { publicKey, signature: fromHex(signature) }
}

/** As clients name the one digest that signatures of keys are over; Ed25519 needs no name. */
const digests = new Set<Json>(['SHA256', 'sha256', 'RSA-SHA256'])

function fingerprintText(clientData: Uint8Array, publicKey: string): Uint8Array {
  const clientDataHash = toHex(sha256(clientData))
  return toUtf8(JSON.stringify({ clientDataHash, publicKey }))
}

function sortedJson(object: JsonObject): string {
  const names = Object.keys(object).toSorted()
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, object[name]])))
}
