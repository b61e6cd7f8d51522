import assert from 'node:assert/strict'
import type { Party, Random } from '../../session.ts'
import type { Scalars } from '../group.ts'

/**
 * What the kernel does with secrets, in whole numbers and as the papers have it: for tests, and for
 * their attackers, who may do with a secret what they like.
 */
export type Numbers = readonly bigint[]

/** The number that `randomSecret` draws from the same source. */
export function randomNumber(scalars: Scalars, random: Random): bigint {
  const number = scalars.reduce(random(64))
  assert(number !== 0n)
  return number
}

/** Horner's rule. @param polynomial lowest power first */
export function evaluate(scalars: Scalars, polynomial: Numbers, at: Party): bigint {
  const x = BigInt(at)
  return polynomial.reduceRight((sum, coefficient) => scalars.mod(sum * x + coefficient), 0n)
}

export function numberIn(scalars: Scalars, secret: Uint8Array): bigint {
  const number = scalars.scalarFromBytes(secret)
  assert(number !== undefined)
  return number
}
