import assert from 'node:assert/strict'
import { equalBytes } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import { lagrange } from '../group/polynomial.ts'
import type { Scalar } from '../kernel/numbers.ts'
import type { Party } from '../session.ts'
import { expand } from './cipher.ts'
import { curveOf, type EcdsaCurveName, isDigest } from './curve.ts'
import type { PairState } from './pair.ts'
import { partiesMax } from './parameters.ts'

export type EcdsaContext = {
  readonly curve: EcdsaCurveName
  readonly self: Party
  /** The t parties that sign, sorted. */
  readonly quorum: readonly Party[]
  readonly n: number
  readonly t: number
  /** Shamir share x_i of the key, 32 bytes. Any derivation is already added. */
  readonly secret: Uint8Array
  readonly publicKey: Uint8Array
  /** X_1 to X_n. */
  readonly publicShares: readonly Uint8Array[]
  readonly pairs: ReadonlyMap<Party, PairState>
  /** The first session id: 32 bytes that no other attempt, of whatever digest, has had. */
  readonly sid: Uint8Array
  readonly digest: Uint8Array
}

/** A context that does not fit together is a defect of the caller, whom no peer can drive there. */
export function checkContext(context: EcdsaContext): void {
  const { self, quorum, n, t, sid, digest, publicKey, publicShares } = context
  const { group } = curveOf(context.curve)
  assert(2 <= t && t <= n && n <= partiesMax && quorum.length === t, 'a quorum of t of n')
  for (const [place, party] of quorum.entries())
    assert(party > (quorum[place - 1] ?? 0) && party <= n, 'a sorted quorum')
  assert(quorum.includes(self) && publicShares.length === n, 'a member of the quorum')
  assert(
    sid.length === 32 && isDigest(context.curve, digest) && publicKey.length === group.pointSize,
    'sizes',
  )
  for (const peer of peersOf(context)) {
    const pair = pairWith(context, peer)
    assert(pair.self === self && pair.peer === peer, 'the pair of these two')
  }
  const share = group.encode(group.multiplyBaseBySecret(shareOf(context)))
  // A damaged share would otherwise fail at the very end, with nobody to blame.
  assert(equalBytes(share, publicShares[self - 1] ?? share.subarray(1)), 'a share of this key')
}

export function peersOf({ self, quorum }: EcdsaContext): readonly Party[] {
  return quorum.filter((party) => party !== self)
}

export function pairWith({ pairs }: EcdsaContext, peer: Party): PairState {
  const pair = pairs.get(peer)
  assert(pair !== undefined, 'a pair with every peer')
  return pair
}

/** Everything known before round 1, in one hash: the first sid with what it stands for. */
export function firstSid(
  context: Omit<EcdsaContext, 'self' | 'secret' | 'publicShares' | 'pairs'>,
): Uint8Array {
  const { domain } = curveOf(context.curve)
  const { sid, digest, publicKey, n, t, quorum } = context
  const numbers = Uint8Array.of(n, t, ...quorum)
  return hashOf(`${domain}/first-sid/v1`, sid, digest, publicKey, numbers)
}

type Direction = { readonly receiver: Party; readonly sender: Party }

/**
 * Under what an extension's streams and challenge are drawn. `nonce` is the receiver's own, fresh in
 * this session: whoever may have repeated the first sid, the receiver's choice meets new streams.
 */
export function labelOf(
  first: Uint8Array,
  { epoch }: PairState,
  { receiver, sender }: Direction,
  nonce: Uint8Array,
): Uint8Array {
  const parties = Uint8Array.of(receiver, sender)
  return hashOf('quorate/ecdsa/extension/label/v1', first, epoch, parties, nonce)
}

/** All broadcasts of round 1 hold a fresh nonce and the hashes of all else that was sent in it. */
export function finalSid(
  first: Uint8Array,
  broadcasts: ReadonlyMap<Party, Uint8Array>,
): Uint8Array {
  const parts = [...broadcasts].sort(([a], [b]) => a - b)
  const flat = parts.flatMap(([party, body]) => [Uint8Array.of(party), body])
  return hashOf('quorate/ecdsa/final-sid/v1', first, ...flat)
}

/** The name of one multiplication: final sid, pair, direction. */
export function productSid(
  final: Uint8Array,
  { epoch }: PairState,
  { receiver, sender }: Direction,
): Uint8Array {
  return hashOf('quorate/ecdsa/product-sid/v1', final, epoch, Uint8Array.of(receiver, sender))
}

/**
 * sk_i: this party's additive part of the key in this session, λ_i x_i plus a share of zero
 * (DKLs23, protocol 3.6, step 5).
 */
export function keyPart(context: EcdsaContext, final: Uint8Array): Scalar {
  const { self, quorum } = context
  const { group, scalars } = curveOf(context.curve)
  const weight = group.scalarToBytes(lagrange(group, quorum, self))
  return peersOf(context).reduce(
    (sum, peer) => {
      const { zeroSeed } = pairWith(context, peer)
      const term = scalars.reduce(expand(48, 'quorate/ecdsa/zero/v1', zeroSeed, final))
      return self < peer ? scalars.add(sum, term) : scalars.subtract(sum, term)
    },
    scalars.multiply(weight, shareOf(context)),
  )
}

/** The share, of which nothing but its being a scalar is said. */
function shareOf({ curve, secret }: EcdsaContext): Scalar {
  const { scalars } = curveOf(curve)
  assert(scalars.isScalar(secret), 'a share that is a scalar')
  return secret
}
