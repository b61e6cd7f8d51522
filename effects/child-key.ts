import { secp256k1 } from '@noble/curves/secp256k1.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concat } from '@quorate/core/bytes'

const { Point } = secp256k1
const { Fn } = Point

export type ParentKey = {
  /** Compressed. */
  readonly publicKey: Uint8Array
  readonly chainCode: Uint8Array
}
export type ChildKey = ParentKey & {
  /** By how much its private key is more than the parent's: 32 bytes, known to everybody. */
  readonly tweak: Uint8Array
}

/**
 * BIP 32, "Public parent key → public child key", level by level: nothing of it is secret, so
 * whoever has the parent's public key and chain code works out the same.
 *
 * @param path indexes below 2^31: what is hardened cannot be derived so
 * @returns nothing at the few paths where BIP 32 has no key
 */
export function childKeyOf(parent: ParentKey, path: readonly number[]): ChildKey | undefined {
  let child: ChildKey | undefined = { ...parent, tweak: new Uint8Array(32) }
  for (const index of path) child = child && stepInto(child, index)
  return child
}

function stepInto({ publicKey, chainCode, tweak }: ChildKey, index: number): ChildKey | undefined {
  const number = new Uint8Array([index >>> 24, index >>> 16, index >>> 8, index])
  const mixed = hmac(sha512, chainCode, concat(publicKey, number))
  const added = numberIn(mixed.subarray(0, 32))
  if (added === undefined) return undefined
  const point = Point.fromBytes(publicKey).add(Point.BASE.multiply(added))
  if (point.is0()) return undefined
  return {
    publicKey: point.toBytes(true),
    chainCode: mixed.slice(32),
    tweak: Fn.toBytes(Fn.add(Fn.fromBytes(tweak), added)),
  }
}

/** In range and not zero, for which the library multiplies by nothing. */
function numberIn(bytes: Uint8Array): bigint | undefined {
  const number = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  return Fn.isValidNot0(number) ? number : undefined
}
