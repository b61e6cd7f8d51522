import assert from 'node:assert/strict'
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { concat, fromHex } from '@quorate/core/bytes'

/** What the API calls a signature, as far as it is one. */
type Parts = { readonly r: string; readonly s: string }
type Signed = { readonly signature?: Parts | undefined }

/** DER before the point of a public key, RFC 8410 and RFC 5480 (with secp256k1's identifier). */
const prefixes = {
  ed25519: fromHex('302a300506032b6570032100'),
  secp256k1: fromHex('3036301006072a8648ce3d020106052b8104000a032200'),
}

export function publicKeyOf(curve: keyof typeof prefixes, hex: string): KeyObject {
  const key = Buffer.from(concat(prefixes[curve], fromHex(hex)))
  return createPublicKey({ key, format: 'der', type: 'spki' })
}

export function rs({ signature }: Signed): Uint8Array {
  assert.ok(signature, 'there is a signature')
  for (const part of [signature.r, signature.s]) assert.match(part, /^0x[0-9a-f]{64}$/)
  return concat(...[signature.r, signature.s].map((part) => fromHex(part.slice(2))))
}

/** By OpenSSL, which shares no line with any library of ours. */
export function isEd25519(publicKey: string, message: Uint8Array, signed: Signed): boolean {
  return verify(null, message, publicKeyOf('ed25519', publicKey), rs(signed))
}

/** OpenSSL hashes by itself: the digest that was signed is SHA-256 of `message`. */
export function isEcdsa(publicKey: string, message: Uint8Array, signed: Signed): boolean {
  const key = publicKeyOf('secp256k1', publicKey)
  return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, rs(signed))
}
