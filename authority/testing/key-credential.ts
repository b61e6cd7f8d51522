import { randomBytes, type KeyObject } from 'node:crypto'
import { toBase64url, toHex, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { checkedClientDataFor, clientDataFor } from '../client-data.ts'
import { fingerprintOf, type Assertion } from '../credential.ts'
import { signWith, type WireCredential } from './passkey.ts'
import { makePerson } from './world.ts'

export type KeyKind = 'Key' | 'RecoveryKey' | 'PasswordProtectedKey'
export type KeyOptions = {
  readonly kind?: KeyKind
  readonly algorithm?: 'ed25519' | 'P-256' | 'secp256k1' | 'rsa'
}
export type WireKeyAssertion = {
  readonly kind: KeyKind
  readonly credentialAssertion: {
    readonly credId: string
    readonly clientData: string
    readonly signature: string
  }
}

export type KeyCredential = {
  readonly kind: KeyKind
  readonly credId: string
  readonly key: KeyObject
  readonly pem: string
  readonly spki: Uint8Array
  readonly create: (challenge: string) => WireCredential<KeyKind>
  readonly get: (challenge: string) => WireKeyAssertion
  /** As a recovery key signs what is to follow it: the text is signed as it is given. */
  readonly recover: (newCredentials: string) => WireKeyAssertion
  /** What `get` would be in the log. */
  readonly assertion: (challenge: string) => Assertion
  /** The same by a client that compares requests with what it asked for. */
  readonly checkedAssertion: (request: Uint8Array) => Assertion
}

/** A key pair that signs as the official SDK's key signers do: attestations in hex, the rest not. */
export function newKeyCredential(options: KeyOptions = {}): KeyCredential {
  const { kind = 'Key', algorithm = 'ed25519' } = options
  const { key, pem, spki } = makePerson(algorithm)
  const credId = toBase64url(randomBytes(32))
  const sign = (message: Uint8Array) => signWith(key, message)

  const create = (challenge: string): WireCredential<KeyKind> => {
    const clientData = toUtf8(JSON.stringify({ type: 'key.create', challenge }))
    const attestationData = keyAttestation({ clientData, pem, sign })
    return {
      credentialKind: kind,
      credentialInfo: {
        credId,
        clientData: toBase64url(clientData),
        attestationData: toBase64url(attestationData),
      },
    }
  }
  const sent = (clientData: Uint8Array): WireKeyAssertion => ({
    kind,
    credentialAssertion: {
      credId,
      clientData: toBase64url(clientData),
      signature: toBase64url(sign(clientData)),
    },
  })
  const logged = (clientData: Uint8Array): Assertion => ({
    fingerprint: fingerprintOf(spki),
    clientData,
    signature: sign(clientData),
    authenticatorData: undefined,
  })
  return {
    ...{ kind, credId, key, pem, spki, create },
    get: (challenge) => sent(clientDataFor(challenge)),
    recover: (newCredentials) => sent(clientDataFor(toBase64url(toUtf8(newCredentials)))),
    assertion: (challenge) => logged(clientDataFor(challenge)),
    checkedAssertion: (request) => logged(checkedClientDataFor(request)),
  }
}

export function keyAttestation(given: {
  readonly clientData: Uint8Array
  readonly pem: string
  readonly sign: (message: Uint8Array) => Uint8Array
}): Uint8Array {
  const { clientData, pem: publicKey, sign } = given
  const clientDataHash = toHex(sha256(clientData))
  const fingerprint = toUtf8(JSON.stringify({ clientDataHash, publicKey }))
  return toUtf8(JSON.stringify({ publicKey, signature: toHex(sign(fingerprint)) }))
}
