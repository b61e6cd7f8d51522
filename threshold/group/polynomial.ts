import assert from 'node:assert/strict'
import type { Scalar } from '../kernel/numbers.ts'
import type { Party } from '../session.ts'
import type { Group, Point, Scalars } from './group.ts'

/** Secret. Lowest power first, so that the constant term, which is shared, is entry 0. */
export type Polynomial = readonly Scalar[]

/** The share of the party whose index `at` is: Σ a_k·i^k, of which the powers are public. */
export function evaluate({ secrets, mod }: Scalars, polynomial: Polynomial, at: Party): Scalar {
  const powers = polynomial.map((_, k) => mod(BigInt(at) ** BigInt(k)))
  return secrets.combine(polynomial, powers)
}

/** What was shared, of as many shares as are needed: Σ λ_i·x_i. */
export function interpolate(scalars: Scalars, shares: ReadonlyMap<Party, Scalar>): Scalar {
  const quorum = [...shares.keys()]
  const weights = quorum.map((party) => lagrange(scalars, quorum, party))
  return scalars.secrets.combine([...shares.values()], weights)
}

/** a + b + …: with one for every weight. */
export function sumOfSecrets({ secrets }: Scalars, terms: readonly Scalar[]): Scalar {
  return secrets.combine(
    terms,
    terms.map(() => 1n),
  )
}

/** The same in the exponent, over public commitments and with a public index: variable time. */
export function evaluatePoints(group: Group, commitments: readonly Point[], at: Party): Point {
  const x = BigInt(at)
  return commitments.reduceRight(
    (sum, commitment) => group.add(group.multiplyPublic(sum, x), commitment),
    group.identity,
  )
}

/** The Lagrange coefficient of `party` in `quorum` at 0: Π j / (j − i). RFC 9591, 4.2. */
export function lagrange(scalars: Scalars, quorum: readonly Party[], party: Party): bigint {
  assert(quorum.includes(party) && new Set(quorum).size === quorum.length && !quorum.includes(0))
  let numerator = 1n
  let denominator = 1n
  for (const other of quorum) {
    if (other === party) continue
    numerator *= BigInt(other)
    denominator *= BigInt(other - party)
  }
  return scalars.mod(numerator * scalars.invertPublic(denominator))
}

export function sumOf(group: Group, points: readonly Point[]): Point {
  return points.reduce((sum, point) => group.add(sum, point), group.identity)
}
