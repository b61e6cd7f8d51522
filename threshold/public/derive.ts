import { sha256 } from '@quorate/core/hash'
import { type DhInput, pointOf } from '../dh/input.ts'
import { decodePartial, isProven } from '../dh/proof.ts'
import type { Point } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'
import { lagrange } from '../group/polynomial.ts'
import type { Party } from '../session.ts'

const group = groupOf('secp256k1')

export type DhCombination = DhInput & {
  readonly publicKey: Uint8Array
  readonly publicShares: ReadonlyMap<Party, Uint8Array>
  readonly sid: Uint8Array
  readonly quorum: readonly Party[]
  readonly partials: ReadonlyMap<Party, Uint8Array>
}
export type DhCombined =
  | {
      readonly ok: true
      /** x·H, compressed. */
      readonly point: Uint8Array
      readonly output: Uint8Array
    }
  | { readonly ok: false; readonly culprits: readonly Party[] }

/**
 * x·H = Σ λ_i·Γ_i, of partial results that are proven each: there is no proof of the sum, so a wrong
 * one would go unnoticed and give another output than tomorrow's. No culprits means that the inputs
 * do not fit one another. DDH-DVRF of ePrint 2020/096, Combine.
 */
export function dhCombine(input: DhCombination): DhCombined {
  const { quorum } = input
  const [h, shares] = [pointOf(input), sharesOf(input)]
  if (h === undefined || shares === undefined) return { ok: false, culprits: [] }
  const results = new Map<Party, Point>()
  for (const [party, publicShare] of shares) {
    const partial = decodePartial(input.partials.get(party) ?? new Uint8Array())
    if (partial === undefined) continue
    const { sid, publicKey } = input
    const claim = { sid, publicKey, party, publicShare, input: h, result: partial.result }
    if (isProven(claim, partial.proof)) results.set(party, partial.result)
  }
  const culprits = quorum.filter((party) => !results.has(party))
  if (culprits.length > 0) return { ok: false, culprits }
  const sum = group.encode(interpolate(quorum, results))
  return { ok: true, point: sum, output: outputOf(sum) }
}

/** SHA-256 of the compressed point. */
export function outputOf(point: Uint8Array): Uint8Array {
  return sha256(point)
}

/** The public shares of a quorum that is a set, large enough, and of this key: they interpolate to it. */
function sharesOf({
  publicKey,
  publicShares,
  quorum,
}: DhCombination): ReadonlyMap<Party, Point> | undefined {
  const shares = new Map<Party, Point>()
  for (const party of quorum) {
    const share = group.decode(publicShares.get(party) ?? new Uint8Array())
    if (share === undefined || shares.has(party)) return undefined
    shares.set(party, share)
  }
  const key = group.decode(publicKey)
  if (key === undefined || !group.equal(interpolate(quorum, shares), key)) return undefined
  return shares
}

/** Lagrange in the exponent, at zero: of public points with public weights. */
function interpolate(quorum: readonly Party[], points: ReadonlyMap<Party, Point>): Point {
  return quorum.reduce((sum, party) => {
    const weight = lagrange(group, quorum, party)
    return group.add(sum, group.multiplyPublic(points.get(party) ?? group.identity, weight))
  }, group.identity)
}
