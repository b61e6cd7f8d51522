import type { Group, Point } from '../group/group.ts'
import { evaluatePoints } from '../group/polynomial.ts'
import type { Scalar } from '../kernel/numbers.ts'
import type { Party } from '../session.ts'
import type { Opening } from './messages.ts'

/** An opening whose every point has been checked. */
export type Dealer = {
  readonly points: readonly Point[]
  readonly proofNonce: Point
  readonly rho: Uint8Array
}

/** Undefined when any point is not canonical, off the curve or its subgroup, or the identity. */
export function dealerOf(group: Group, opening: Opening): Dealer | undefined {
  const points = opening.points.map((bytes) => group.fromWire(bytes))
  const proofNonce = group.fromWire(opening.proofNonce)
  if (proofNonce === undefined || !points.every((point) => point !== undefined)) return undefined
  return { points, proofNonce, rho: opening.rho }
}

/** A_{j,0}. Every dealer has been checked to have t ≥ 2 points. */
export function constantTerm({ points }: Dealer): Point {
  return points[0] as Point
}

/** Is f_j(i)·G = Σ_k i^k·A_{j,k}? Feldman 1987. Undefined when it is not, or is no scalar. */
export function readShare(
  group: Group,
  { points }: Dealer,
  share: { readonly to: Party; readonly body: Uint8Array },
): Scalar | undefined {
  if (!group.secrets.isResidue(share.body)) return undefined
  const committed = evaluatePoints(group, points, share.to)
  return group.equal(group.multiplyBaseBySecret(share.body), committed) ? share.body : undefined
}
