import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { concat, concatAll, fromBase64url, toBase64url, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { fingerprintOf, type Assertion } from '../credential.ts'
import type { Cbor } from '../webauthn/cbor.ts'
import { writeCbor } from './cbor.ts'

/**
 * An authenticator and its browser, in software: what the official browser SDK would send for a
 * passkey that answers at every touch.
 */
export type PasskeyAlgorithm = 'ES256' | 'EdDSA' | 'RS256'
export type PasskeyOptions = {
  readonly algorithm?: PasskeyAlgorithm
  /** The id of the relying party, such as `example.test`. */
  readonly relyingParty?: string
  readonly origin?: string
  readonly userVerified?: boolean
  readonly attestation?: 'none' | 'packed'
  /** The id of the user, which the authenticator hands out with assertions. */
  readonly userHandle?: string
}

/** As it stands in the body of a registration. */
export type WireCredential<K extends string> = {
  readonly credentialKind: K
  readonly credentialInfo: {
    readonly credId: string
    readonly clientData: string
    readonly attestationData: string
  }
}
/** As it stands for the first or second factor. */
export type WireAssertion<K extends string> = {
  readonly kind: K
  readonly credentialAssertion: {
    readonly credId: string
    readonly clientData: string
    readonly signature: string
    readonly authenticatorData: string
    readonly userHandle?: string
  }
}

export type Passkey = {
  readonly credId: string
  readonly spki: Uint8Array
  readonly relyingParty: string
  readonly origin: string
  readonly key: KeyObject
  readonly create: (challenge: string) => WireCredential<'Fido2'>
  readonly get: (challenge: string) => WireAssertion<'Fido2'>
  /** What `get` would be in the log. */
  readonly assertion: (challenge: string) => Assertion
}

export function newPasskey(options: PasskeyOptions = {}): Passkey {
  const { relyingParty = 'example.test', origin = `https://${relyingParty}` } = options
  const { algorithm = 'ES256', userVerified = true, attestation = 'none', userHandle } = options
  const { privateKey: key, publicKey } = keyPair(algorithm)
  const credId = toBase64url(randomBytes(32))
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))
  const user = { relyingParty, userVerified }

  const create = (challenge: string): WireCredential<'Fido2'> => {
    const clientData = passkeyClientData('webauthn.create', challenge, origin)
    const authData = registrationData({ ...user, credId: fromBase64url(credId), key: publicKey })
    const signature = signWith(key, concat(authData, sha256(clientData)))
    const alg = algorithms[algorithm]
    const statement =
      attestation === 'none'
        ? []
        : ([
            ['alg', alg],
            ['sig', signature],
          ] as const)
    const object = attestationObject(attestation, new Map<string, Cbor>(statement), authData)
    return {
      credentialKind: 'Fido2',
      credentialInfo: {
        credId,
        clientData: toBase64url(clientData),
        attestationData: toBase64url(object),
      },
    }
  }
  const assertion = (challenge: string): Assertion => {
    const clientData = passkeyClientData('webauthn.get', challenge, origin)
    const authenticatorData = authenticatorDataOf(user)
    const signature = signWith(key, concat(authenticatorData, sha256(clientData)))
    return { fingerprint: fingerprintOf(spki), clientData, signature, authenticatorData }
  }
  const get = (challenge: string): WireAssertion<'Fido2'> => {
    const { clientData, signature, authenticatorData } = assertion(challenge)
    return {
      kind: 'Fido2',
      credentialAssertion: {
        credId,
        clientData: toBase64url(clientData),
        signature: toBase64url(signature),
        authenticatorData: toBase64url(authenticatorData ?? new Uint8Array()),
        ...(userHandle === undefined ? {} : { userHandle: toBase64url(toUtf8(userHandle)) }),
      },
    }
  }
  return { credId, spki, relyingParty, origin, key, create, get, assertion }
}

const algorithms = { ES256: -7, EdDSA: -8, RS256: -257 } as const

function keyPair(algorithm: PasskeyAlgorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519')
  if (algorithm === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 })
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

/** Digests as in the algorithms above; ECDSA in DER (Web Authentication, section 6.5.5). */
export function signWith(key: KeyObject, message: Uint8Array): Uint8Array {
  return new Uint8Array(sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', message, key))
}

/** The browser's text, in the order of section 5.8.1.1; the SDK gives it the challenge's characters. */
export function passkeyClientData(
  type: 'webauthn.create' | 'webauthn.get',
  challenge: string,
  origin: string,
): Uint8Array {
  const encoded = toBase64url(toUtf8(challenge))
  return toUtf8(JSON.stringify({ type, challenge: encoded, origin, crossOrigin: false }))
}

export type Registration = {
  readonly relyingParty: string
  readonly userVerified: boolean
  readonly credId: Uint8Array
  readonly key: KeyObject
  readonly aaguid?: Uint8Array
}

/** Authenticator data with the new credential in it. */
export function registrationData(given: Registration): Uint8Array {
  const { credId, key, aaguid = new Uint8Array(16) } = given
  const length = new Uint8Array([credId.length >> 8, credId.length & 0xff])
  return authenticatorDataOf({
    ...given,
    attested: concatAll([aaguid, length, credId, writeCbor(coseKeyOf(key))]),
  })
}

export function authenticatorDataOf(given: {
  readonly relyingParty: string
  readonly userVerified: boolean
  readonly attested?: Uint8Array
}): Uint8Array {
  const { relyingParty, userVerified, attested } = given
  const flags = 0x01 | (userVerified ? 0x04 : 0) | (attested === undefined ? 0 : 0x40)
  const header = concat(sha256(toUtf8(relyingParty)), new Uint8Array([flags, 0, 0, 0, 0]))
  return attested === undefined ? header : concat(header, attested)
}

export function attestationObject(
  format: string,
  statement: ReadonlyMap<string, Cbor>,
  authData: Uint8Array,
): Uint8Array {
  return writeCbor(
    new Map<string, Cbor>([
      ['fmt', format],
      ['attStmt', statement],
      ['authData', authData],
    ]),
  )
}

/** RFC 9053, section 7, and RFC 8230, section 4. */
export function coseKeyOf(key: KeyObject): ReadonlyMap<number, Cbor> {
  const { x = '', y = '', n = '', e = '' } = key.export({ format: 'jwk' })
  const bytes = (text: string) => fromBase64url(text)
  const members: Record<string, readonly (readonly [number, Cbor])[]> = {
    ec: [
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, bytes(x)],
      [-3, bytes(y)],
    ],
    ed25519: [
      [1, 1],
      [3, -8],
      [-1, 6],
      [-2, bytes(x)],
    ],
    rsa: [
      [1, 3],
      [3, -257],
      [-1, bytes(n)],
      [-2, bytes(e)],
    ],
  }
  return new Map(members[key.asymmetricKeyType ?? ''])
}
