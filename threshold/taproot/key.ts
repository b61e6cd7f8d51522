import { concat } from '@quorate/core/bytes'
import { type Refusal, refused } from '../frost/commitments.ts'
import type { Point } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'
import { taggedHash } from './tagged-hash.ts'
import { isOdd, xOf } from './suite.ts'

const group = groupOf('secp256k1')

/**
 * What a Schnorr key was marked as at birth. A `taproot` key signs only as the output key of some
 * script tree, be it the empty one, and a `plain` one only as itself: if one key did both, whoever
 * gets a signature of the one kind could use it as of the other.
 */
export type Birth = 'taproot' | 'plain'

export type Spend = {
  /** As key generation left it: compressed, of either parity. */
  readonly publicKey: Uint8Array
  readonly birth: Birth
  /** Of 32 bytes, or empty for an output without scripts; none for a plain key. */
  readonly merkleRoot: Uint8Array | undefined
}

/** The key that signs: x' = ±x + a for the secret and, as Σ λ_i = 1, for each share of it. */
export type SigningKey = {
  readonly ok: true
  /** Compressed, with an even y. */
  readonly publicKey: Uint8Array
  readonly negated: boolean
  readonly addend: bigint
}

/**
 * BIP 341, "Constructing and spending Taproot outputs": taproot_tweak_pubkey. The two changes of sign, of
 * the key that is tweaked and of the outcome, are kept as in the tweak contexts of BIP 327.
 */
export function signingKeyOf({ publicKey, birth, merkleRoot }: Spend): SigningKey | Refusal {
  const point = group.decode(publicKey)
  if (point === undefined) return refused('public key', [])
  const internal = toEven(point)
  if (birth === 'plain') {
    if (merkleRoot !== undefined) return refused('a plain key has no script tree', [])
    return keyOf(internal, { negated: isOdd(point), addend: 0n })
  }
  if (merkleRoot === undefined) return refused('a taproot key signs tweaked only', [])
  if (merkleRoot.length !== 0 && merkleRoot.length !== 32) return refused('merkle root', [])
  return tweaked(point, taggedHash('TapTweak', xOf(internal), merkleRoot))
}

/** @param tweak 32 bytes, refused and not reduced where they are no scalar, as BIP 341 has it */
export function tweaked(point: Point, tweak: Uint8Array): SigningKey | Refusal {
  const addend = group.scalarFromBytes(tweak)
  if (addend === undefined) return refused('tweak out of range', [])
  const output = group.add(toEven(point), group.multiplyBase(addend))
  if (group.equal(output, group.identity)) return refused('identity output key', [])
  const flipped = isOdd(output)
  return keyOf(toEven(output), {
    negated: isOdd(point) !== flipped,
    addend: flipped ? group.mod(-addend) : addend,
  })
}

/** X_i' of a public share. */
export function publicShareOf({ negated, addend }: SigningKey, publicShare: Point): Point {
  return group.add(negated ? group.negate(publicShare) : publicShare, group.multiplyBase(addend))
}

/** Of a point of BIP 340's 32 bytes, the one with an even y. */
export function liftX(x: Uint8Array): Point | undefined {
  return x.length === 32 ? group.decode(concat(Uint8Array.of(2), x)) : undefined
}

function toEven(point: Point): Point {
  return isOdd(point) ? group.negate(point) : point
}

function keyOf(even: Point, signs: Pick<SigningKey, 'negated' | 'addend'>): SigningKey {
  return { ok: true, publicKey: group.encode(even), ...signs }
}
