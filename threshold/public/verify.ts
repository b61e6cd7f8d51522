import libsecp256k1 from 'secp256k1/bindings.js'
import { bytesToBig } from '@quorate/core/bytes'
import type { GroupName } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'
import { verifyEd25519 } from './ed25519.ts'

/**
 * Does this signature, as the protocols here put it out, hold?
 *
 * ECDSA: r ‖ s, big-endian, over a digest of 32 bytes; on secp256k1 with the lower s only. EdDSA: as
 * in RFC 8032, over the message itself. A key or signature that is no such thing does not hold.
 */
export function verifySignature(
  scheme: 'ECDSA' | 'EdDSA',
  curve: GroupName,
  publicKey: Uint8Array,
  digestOrMessage: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64 || groupOf(curve).decode(publicKey) === undefined) return false
  if (scheme === 'EdDSA')
    return curve === 'ed25519' && verifyEd25519(publicKey, digestOrMessage, signature)
  if (digestOrMessage.length !== 32) return false
  if (curve === 'secp256k1') return verifySecp256k1(publicKey, digestOrMessage, signature)
  return curve === 'stark' && verifyStark(publicKey, digestOrMessage, signature)
}

function verifySecp256k1(
  publicKey: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { scalarFromBytes } = groupOf('secp256k1')
  // libsecp256k1 throws on r or s out of range; every other verdict it returns.
  const inRange =
    scalarFromBytes(signature.slice(0, 32)) !== undefined &&
    scalarFromBytes(signature.slice(32)) !== undefined
  return inRange && libsecp256k1.ecdsaVerify(signature, digest, publicKey)
}

/** StarkWare's own bound: digest, r and s⁻¹ must be below it. */
const starkMax = 2n ** 251n

function verifyStark(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  const group = groupOf('stark')
  const key = group.decode(publicKey)
  const z = bytesToBig(digest)
  const r = group.scalarFromBytes(signature.slice(0, 32))
  const s = group.scalarFromBytes(signature.slice(32))
  if (key === undefined || z >= starkMax) return false
  if (r === undefined || r === 0n || r >= starkMax || s === undefined || s === 0n) return false
  const w = group.invertPublic(s)
  if (w >= starkMax) return false
  const R = group.add(
    group.multiplyBase(group.mod(z * w)),
    group.multiplyPublic(key, group.mod(r * w)),
  )
  if (group.equal(R, group.identity)) return false
  return bytesToBig(group.encode(R).slice(1)) === r
}
