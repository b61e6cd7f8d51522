import assert from 'node:assert/strict'
import type { Party } from '../session.ts'
import type { Group, Point, Scalars } from './group.ts'

/** Lowest power first, so that the constant term, the secret, is entry 0. */
export type Polynomial = readonly bigint[]

/** Horner's rule. */
export function evaluate(scalars: Scalars, polynomial: Polynomial, at: Party): bigint {
  const x = BigInt(at)
  return polynomial.reduceRight((sum, coefficient) => scalars.mod(sum * x + coefficient), 0n)
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
