import { equalBytes } from '@quorate/core/bytes'
import { groupOf } from '../group/groups.ts'
import { liftX } from '../taproot/key.ts'
import { challengeOf, isOdd, xOf } from '../taproot/suite.ts'

const group = groupOf('secp256k1')

/**
 * BIP 340, "Verification".
 * @param publicKey the 32 bytes of its x: of a Taproot output, not of the internal key
 * @param message of any length
 */
export function verifySchnorr(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64) return false
  const key = liftX(publicKey)
  const s = group.scalarFromBytes(signature.slice(32, 64))
  if (key === undefined || s === undefined) return false
  const r = signature.slice(0, 32)
  const e = challengeOf(r, publicKey, message)
  // All of it is public: s·G runs in constant time only because that is the quicker way here.
  const R = group.add(group.multiplyBase(s), group.negate(group.multiplyPublic(key, e)))
  if (group.equal(R, group.identity) || isOdd(R)) return false
  // As bytes: an r of the field's order or more is no x of any point.
  return equalBytes(xOf(R), r)
}
