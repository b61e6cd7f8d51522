import assert from 'node:assert/strict'
import type { KeyShare } from './dkg/context.ts'
import { curveOf } from './ecdsa/curve.ts'
import { childParts } from './public/child.ts'

/**
 * A party's part of the key that is more by a public number: x_i + τ. Every party adds the same, and
 * Shamir's shares of a constant are that constant. The share that is given stays as it is.
 *
 * @param child.tweak τ, 32 bytes; no secret
 */
export function childShare(
  share: KeyShare,
  { tweak, chainCode }: { readonly tweak: Uint8Array; readonly chainCode: Uint8Array },
): KeyShare {
  assert(share.group === 'secp256k1', 'a share of a key that has children')
  const { scalars } = curveOf('secp256k1')
  const secret = scalars.add(share.secret, tweak)
  return { ...share, ...childParts(share, tweak), secret, chainCode }
}
