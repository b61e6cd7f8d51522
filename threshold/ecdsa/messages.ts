import { type Decoded, fixed, hash32, list, struct, tag } from '@quorate/core/codec'
import { hashOf } from '@quorate/core/hash'
import type { Party } from '../session.ts'
import { curveOf, type EcdsaCurveName } from './curve.ts'
import { correctionsSize, foldSize, maskedSize, partiesMax, scalarSize } from './parameters.ts'

/** The messages of one curve: their names and the size of a point tell them from another's. */
function messagesFor(curve: EcdsaCurveName) {
  const { domain, group } = curveOf(curve)
  const point = fixed(group.wireSize)
  const scalar = fixed(scalarSize)
  return {
    /** Round 1, to all. Anybody may read it. */
    announcement: struct({
      format: tag(`${domain}/1`),
      /** The streams of this party's extensions are drawn under it. */
      nonce: hash32,
      /** To the nonce point R_i. */
      commitment: hash32,
      /** Of the pair with each peer, in the peers' order. */
      epochs: list(hash32, partiesMax - 1, 1),
      /** Of the round 1 message to each peer, in the same order. */
      digests: list(hash32, partiesMax - 1, 1),
    }),
    /** Round 1, to one peer. Anybody may read it. */
    extension: struct({
      format: tag(`${domain}/1/extension`),
      corrections: fixed(correctionsSize),
      fold: fixed(foldSize),
      proof: hash32,
    }),
    /** Round 2, to one peer. The carrier seals it. */
    product: struct({
      format: tag(`${domain}/2`),
      /** Of all announcements, as this party has them. */
      echo: hash32,
      /** R_i and what opens its commitment. */
      noncePoint: point,
      salt: hash32,
      /** pk_i */
      keyPoint: point,
      masked: fixed(maskedSize),
      combined: scalar,
      proof: hash32,
      /** Γ^u and Γ^v: this party's shares of the two products, times G. */
      nonceShare: point,
      keyShare: point,
      /** ψ */
      difference: scalar,
    }),
    /** Round 3, to all, and to whoever puts the signature together. Anybody may read it. */
    closing: struct({
      format: tag(`${domain}/3`),
      /** R, the sum of all nonce points. */
      noncePoint: point,
      /** Of the final sid and of every R_j and pk_j, as this party has them. */
      view: hash32,
      /** w_i and u_i: the signature's s is Σ w / Σ u. */
      numerator: scalar,
      denominator: scalar,
    }),
  }
}

type Messages = ReturnType<typeof messagesFor>
export type Announcement = Decoded<Messages['announcement']>
export type Product = Decoded<Messages['product']>

const all = { secp256k1: messagesFor('secp256k1'), stark: messagesFor('stark') } as const

export function messagesOf(curve: EcdsaCurveName): Messages {
  return all[curve]
}

export function digestOf(first: Uint8Array, from: Party, to: Party, body: Uint8Array): Uint8Array {
  return hashOf('quorate/ecdsa/round-1/v1', first, Uint8Array.of(from, to), body)
}

export function commitTo(
  first: Uint8Array,
  from: Party,
  noncePoint: Uint8Array,
  salt: Uint8Array,
): Uint8Array {
  return hashOf('quorate/ecdsa/commitment/v1', first, Uint8Array.of(from), noncePoint, salt)
}
