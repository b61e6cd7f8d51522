import { concat } from '@quorate/core/bytes'
import { sha512, transcript } from '@quorate/core/hash'
import type { Point } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'
import type { Party } from '../session.ts'

const group = groupOf('secp256k1')

/** What a proof is about: in this session this party multiplied this point with its share. */
export type Claim = {
  /** 32 bytes that name this derivation and no other. */
  readonly sid: Uint8Array
  readonly publicKey: Uint8Array
  readonly party: Party
  /** X_i. */
  readonly publicShare: Point
  /** H, the input. */
  readonly input: Point
  /** Γ_i, which is said to be x_i·H. */
  readonly result: Point
}
/** c and s of Chaum and Pedersen (CRYPTO 1992), without interaction by Fiat and Shamir. */
export type Proof = { readonly challenge: bigint; readonly response: bigint }

export type Partial = { readonly result: Point; readonly proof: Proof }

const scalarSize = 32
export const partialSize = group.pointSize + 2 * scalarSize

/** c, over all of the claim and over A = k·G and B = k·H: 512 bits reduced. */
export function challengeOf(claim: Claim, A: Point, B: Point): bigint {
  const { sid, publicKey, party, publicShare, input, result } = claim
  const points = [publicShare, input, result, A, B].map((point) => group.encode(point))
  const parts = [sid, publicKey, Uint8Array.of(party), ...points]
  return group.reduce(sha512(transcript('quorate/dh/proof/v1', ...parts)))
}

/** A = s·G − c·X_i and B = s·H − c·Γ_i give c again only if one x_i makes both X_i and Γ_i. */
export function isProven(claim: Claim, { challenge, response }: Proof): boolean {
  const back = (base: Point, multiple: Point): Point =>
    group.add(
      group.multiplyPublic(base, response),
      group.negate(group.multiplyPublic(multiple, challenge)),
    )
  const A = back(group.generator, claim.publicShare)
  const B = back(claim.input, claim.result)
  return challengeOf(claim, A, B) === challenge
}

/** Γ_i ‖ c ‖ s. */
export function encodePartial(
  result: Point,
  proof: { readonly challenge: bigint; readonly response: Uint8Array },
): Uint8Array {
  return concat(group.encode(result), group.scalarToBytes(proof.challenge), proof.response)
}

/** Strict: just this many bytes, a point of the group that is not the identity, two scalars. */
export function decodePartial(bytes: Uint8Array): Partial | undefined {
  if (bytes.length !== partialSize) return undefined
  const { pointSize } = group
  const result = group.decode(bytes.slice(0, pointSize))
  const challenge = group.scalarFromBytes(bytes.slice(pointSize, pointSize + scalarSize))
  const response = group.scalarFromBytes(bytes.slice(pointSize + scalarSize, partialSize))
  if (result === undefined || challenge === undefined || response === undefined) return undefined
  return { result, proof: { challenge, response } }
}
