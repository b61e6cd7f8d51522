import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { concat, fromBase64url, fromHex } from '@quorate/core/bytes'
import { isFullOrder } from './full-order.ts'
import { foundGood, verifiedOnce } from './once.ts'

/** RFC 8410: the DER that stands before the 32 bytes of a public key. */
const spkiPrefix = fromHex('302a300506032b6570032100')
/** The same few peers and callers come again and again; a key object costs more than a lookup. */
const keysKept = 256
const scheme = 'quorate/verified/ed25519'
const keys = new Map<string, KeyObject>()

type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean

const byOpenssl: Verify = (publicKey, message, signature) =>
  verify(null, message, keyOf(publicKey), signature)
let equationHolds = byOpenssl

/**
 * Where another implementation of RFC 8032, 5.1.7, is at hand that costs less. It has to check the
 * equation without the cofactor and S to be in its range, as OpenSSL does; on what else
 * implementations differ (Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs", section 4),
 * `verifyEd25519` decides before it asks.
 */
export function verifyEd25519By(another: Verify): void {
  equationHolds = another
}

/**
 * RFC 8032, with a key of full order in its one encoding, and a first half of more than small order.
 * What users sign comes here by `public-key.ts`, which has looked at the key's encoding.
 */
export function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return (
    signature.length === 64 &&
    verifiedOnce(
      scheme,
      [publicKey, message, signature],
      () =>
        isFullOrder(publicKey) &&
        isFullOrder(signature.subarray(0, 32)) &&
        equationHolds(publicKey, message, signature),
    )
  )
}

export function signEd25519(privateKey: KeyObject, message: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, message, privateKey))
}

/** As one who meets his own signatures again, in a quorum, and need not verify them. */
export function signingWith(
  publicKey: Uint8Array,
  sign: (message: Uint8Array) => Uint8Array,
): (message: Uint8Array) => Uint8Array {
  return (message) => {
    const signature = sign(message)
    foundGood(scheme, [publicKey, message, signature])
    return signature
  }
}

/** The raw 32 bytes of an Ed25519 key object's public half. */
export function rawPublicKey(key: KeyObject): Uint8Array {
  const spki = (key.type === 'private' ? createPublicKey(key) : key).export({
    type: 'spki',
    format: 'der',
  })
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('Not an Ed25519 key.')
  return new Uint8Array(spki.subarray(spkiPrefix.length))
}

/** The 32 bytes that RFC 8032 makes a private key of: what other implementations begin with. */
export function seedOf(privateKey: KeyObject): Uint8Array {
  const { crv, d } = privateKey.export({ format: 'jwk' })
  if (crv !== 'Ed25519' || d === undefined) throw new Error('Not an Ed25519 key.')
  return fromBase64url(d)
}

/** @throws Error when the text is no PKCS#8 PEM of an Ed25519 key */
export function readEd25519(pem: string): KeyObject {
  const key = createPrivateKey(pem)
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('Not an Ed25519 key.')
  return key
}

function keyOf(publicKey: Uint8Array): KeyObject {
  const name = publicKey.join()
  const kept = keys.get(name)
  if (kept !== undefined) return kept
  const der = Buffer.from(concat(spkiPrefix, publicKey))
  const made = createPublicKey({ key: der, format: 'der', type: 'spki' })
  if (keys.size >= keysKept) keys.clear()
  keys.set(name, made)
  return made
}
