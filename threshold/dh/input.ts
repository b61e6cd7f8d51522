import { secp256k1_hasher } from '@noble/curves/secp256k1.js'
import type { Point } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'

/** RFC 9380, section 5.3.3: a longer tag would be hashed first, and nobody needs one. */
export const domainBytesMax = 255
/** A seed is a name, not a document. */
export const seedBytesMax = 1024

/** What is derived: the same for ever gives the same for ever. */
export type DhInput = { readonly domain: Uint8Array; readonly seed: Uint8Array }

/**
 * The point that the key is multiplied with: RFC 9380, suite secp256k1_XMD:SHA-256_SSWU_RO_, with the
 * domain for tag and the seed for message. Of no such point does anybody know the logarithm.
 */
export function pointOf({ domain, seed }: DhInput): Point | undefined {
  // Section 3.1: a tag MUST NOT be empty.
  if (domain.length === 0 || domain.length > domainBytesMax) return undefined
  if (seed.length > seedBytesMax) return undefined
  const point = secp256k1_hasher.hashToCurve(seed, { DST: domain })
  // The identity, one time in 2^256, is no point to decode.
  return point.is0() ? undefined : groupOf('secp256k1').decode(point.toBytes(true))
}
