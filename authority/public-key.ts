import { createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto'
import { bytesToBig, equalBytes, toBase64url } from '@quorate/core/bytes'
import { attempt } from './attempt.ts'
import { readDer } from './der.ts'
import { verifyEd25519 } from './ed25519.ts'
import { isFullOrder } from './full-order.ts'
import { verifiedOnce } from './once.ts'

/**
 * Public keys of credentials, and the checks that stand before any verify call. Verification is
 * consensus: signers with different OpenSSL versions must agree, so whatever the versions could
 * read differently is refused here first.
 */
export type Algorithm = 'Ed25519' | 'P-256' | 'secp256k1' | 'RSA'

export const spkiBytesMax = 1024

/** An RSA key of 4096 bits in lines of 64 characters takes 800. */
const pemLengthMax = 4096
const pemForm =
  /^-----BEGIN ((?:RSA )?PUBLIC KEY)-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----\s?$/

/**
 * @param pem SPKI or PKCS#1 public key (RFC 7468), with at most one character of white space after it
 *   (RFC 5480 lets a point of a curve be compressed, and OpenSSL reads and repeats a third form)
 * @returns its canonical DER (SPKI) with the point in full, or nothing when it is not one of the
 *   four kinds: Ed25519 of full order, P-256, secp256k1, RSA of 2048 to 4096 bits with exponent 65537
 */
export function readPublicKey(pem: string): Uint8Array | undefined {
  if (pem.length > pemLengthMax) return undefined
  const [, label, body = ''] = pemForm.exec(pem) ?? []
  const text = body.replace(/\r?\n/g, '')
  const der = Buffer.from(text, 'base64')
  if (label === undefined || der.toString('base64') !== text) return undefined
  if (attempt(() => readDer(der)) === undefined) return undefined
  const type = label === 'PUBLIC KEY' ? 'spki' : 'pkcs1'
  return canonicalSpki(() => createPublicKey({ key: der, format: 'der', type }))
}

/** The same for a JWK, whose point must be on its curve. */
export function spkiOfJwk(jwk: JsonWebKey): Uint8Array | undefined {
  return canonicalSpki(() => createPublicKey({ key: jwk, format: 'jwk' }))
}

function canonicalSpki(read: () => KeyObject): Uint8Array | undefined {
  const key = keyOrNothing(read)
  return key === undefined || algorithmOf(key) === undefined ? undefined : canonicalOf(key)
}

/** Node's import throws in many ways of its own at foreign bytes; they all mean that it is no key. */
function keyOrNothing(read: () => KeyObject): KeyObject | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

type Parsed = { readonly key: KeyObject; readonly algorithm: Algorithm }
/** One request is verified by several hands, and a caller comes back: parsing costs more. */
const parsedKept = 1024
const parsed = new Map<string, Parsed>()

/** The key of DER that must already be canonical. */
export function parseSpki(spki: Uint8Array): Parsed | undefined {
  if (spki.length > spkiBytesMax) return undefined
  const name = toBase64url(spki)
  const kept = parsed.get(name)
  if (kept !== undefined) return kept
  const made = parseCanonical(spki)
  if (made === undefined) return undefined
  if (parsed.size >= parsedKept) parsed.clear()
  parsed.set(name, made)
  return made
}

function parseCanonical(spki: Uint8Array): Parsed | undefined {
  const key = keyOrNothing(() =>
    createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }),
  )
  const algorithm = key === undefined ? undefined : algorithmOf(key)
  if (key === undefined || algorithm === undefined) return undefined
  return equalBytes(canonicalOf(key), spki) ? { key, algorithm } : undefined
}

/** Ed25519 (64 bytes), ECDSA over SHA-256 (DER), or RSA PKCS#1 v1.5 over SHA-256, strictly encoded. */
export function verifySignature(
  spki: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const found = parseSpki(spki)
  if (found === undefined) return false
  const { key, algorithm } = found
  if (!isWellFormed(algorithm, key, signature)) return false
  // The last 32 bytes of its DER (RFC 8410) are the key.
  if (algorithm === 'Ed25519') return verifyEd25519(spki.subarray(-32), message, signature)
  return verifiedOnce('quorate/verified/credential', [spki, message, signature], () =>
    verify('sha256', message, key, signature),
  )
}

function algorithmOf(key: KeyObject): Algorithm | undefined {
  const { namedCurve, modulusLength, publicExponent } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'ed25519')
    return isFullOrder(derOf(key).subarray(-32)) ? 'Ed25519' : undefined
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return 'P-256'
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'secp256k1') return 'secp256k1'
  const isRsa = key.asymmetricKeyType === 'rsa' && publicExponent === 65537n
  return isRsa && modulusLength !== undefined && modulusLength >= 2048 && modulusLength <= 4096
    ? 'RSA'
    : undefined
}

/** One key has one encoding, or it would have several fingerprints: x and y, and nothing of the form. */
function canonicalOf(key: KeyObject): Uint8Array {
  if (key.asymmetricKeyType !== 'ec') return derOf(key)
  return derOf(createPublicKey({ key: key.export({ format: 'jwk' }), format: 'jwk' }))
}

function derOf(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }))
}

/** Order of the P-256 and secp256k1 groups, and of Ed25519's prime subgroup (SEC 2, RFC 8032). */
const orders = {
  'P-256': 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  secp256k1: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  Ed25519: 2n ** 252n + 27742317777372353535851937790883648493n,
} as const

function isWellFormed(algorithm: Algorithm, key: KeyObject, signature: Uint8Array): boolean {
  if (algorithm === 'RSA') return signature.length * 8 === key.asymmetricKeyDetails?.modulusLength
  if (algorithm === 'Ed25519')
    return signature.length === 64 && bytesToBig(signature.slice(32).reverse()) < orders.Ed25519
  return isDer(signature, orders[algorithm])
}

/** X.690 in its one short form: SEQUENCE of two positive INTEGERs below the group's order. */
function isDer(signature: Uint8Array, order: bigint): boolean {
  if (signature[0] !== 0x30 || signature[1] !== signature.length - 2) return false
  const first = derInteger(signature, 2, order)
  const second = first === undefined ? undefined : derInteger(signature, first, order)
  return second === signature.length
}

/** Where the integer at `at` ends, if it is one. */
function derInteger(signature: Uint8Array, at: number, order: bigint): number | undefined {
  const size = signature[at + 1] ?? 0
  const digits = signature.subarray(at + 2, at + 2 + size)
  const [first = 0x80, second = 0x80] = digits
  if (signature[at] !== 0x02 || size === 0 || digits.length !== size || first >= 0x80)
    return undefined
  if (first === 0 && second < 0x80) return undefined
  const value = bytesToBig(digits)
  return value > 0n && value < order ? at + 2 + size : undefined
}
