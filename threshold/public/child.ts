import assert from 'node:assert/strict'
import type { Group, Point } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'

const group: Group = groupOf('secp256k1')

/** Public points of a key, compressed. */
export type PublicParts = {
  readonly publicKey: Uint8Array
  /** In index order. */
  readonly publicShares: readonly Uint8Array[]
}

/**
 * The same of the key that is more by `tweak`: X + τG, and X_i + τG of every share, since the
 * weights with which shares make up a key add up to one. All of it is public.
 *
 * @param tweak 32 bytes below the order
 */
export function childParts({ publicKey, publicShares }: PublicParts, tweak: Uint8Array) {
  const number = group.scalarFromBytes(tweak)
  assert(number !== undefined, 'a tweak that is a scalar')
  const added = group.multiplyBase(number)
  const shifted = (point: Uint8Array): Uint8Array => group.encode(group.add(decoded(point), added))
  return { publicKey: shifted(publicKey), publicShares: publicShares.map(shifted) }
}

function decoded(point: Uint8Array): Point {
  const read = group.decode(point)
  assert(read !== undefined, 'a public point of a certified key')
  return read
}
