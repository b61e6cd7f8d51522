import { weierstrass } from '@noble/curves/abstract/weierstrass.js'
import { bytesToBig } from '@quorate/core/bytes'

/** StarkWare, StarkEx documentation, "STARK curve": y² = x³ + x + b. */
const Point = weierstrass({
  p: 0x800000000000011000000000000000000000000000000000000000000000001n,
  n: 0x800000000000010ffffffffffffffffb781126dcae7b2321e66a241adc64d2fn,
  h: 1n,
  a: 1n,
  b: 0x6f21413efbe40de150e596d72f7a8c5609ad26c15c915c1f4cdfcb99cee9e89n,
  Gx: 0x1ef15c18599971b7beced415a40f0c7deacfd9b0d1819e03d723d8bc943cfcan,
  Gy: 0x5668060aa49730b7be4801df46ec62de53ecd11abe43a32873000c36e8dc1fn,
})
const { Fn } = Point
/** StarkWare's bound of the hash, of r and of the inverse of s. */
const bound = 2n ** 251n

/**
 * ECDSA on the Stark curve, as Starknet's accounts verify it.
 *
 * @param publicKey of a key's certificate: compressed and on the curve
 * @param signature r ‖ s
 */
export function verifyStark(
  publicKey: Uint8Array,
  hash: Uint8Array,
  signature: Uint8Array,
): boolean {
  const [z, r, s] = [hash, signature.slice(0, 32), signature.slice(32)].map(bytesToBig)
  if (z === undefined || r === undefined || s === undefined) return false
  if (z >= bound || r === 0n || r >= bound || s === 0n || s >= Fn.ORDER) return false
  const inverse = Fn.inv(s)
  if (inverse >= bound) return false
  const byHash = Point.BASE.multiplyUnsafe(Fn.mul(z, inverse))
  const point = byHash.add(Point.fromBytes(publicKey).multiplyUnsafe(Fn.mul(r, inverse)))
  return !point.is0() && Fn.create(point.toAffine().x) === r
}
