import assert from 'node:assert/strict'
import { type Index, type Scope, type Step, type Variable, word, type Word } from './assembler.ts'

/**
 * Arithmetic modulo one odd number, as code. A number is nine limbs of 29 bits, so that a column of a
 * product, nine times 58 bits, leaves room in a word to add several before anything is carried.
 */
export const limbBits = 29
export const limbCount = 9
export const numberSize = 32
const limbMask = (1n << BigInt(limbBits)) - 1n
const wordCount = 4

/** R of Montgomery's reduction, which divides by it. */
export const radix = 1n << BigInt(limbBits * limbCount)

export type Limbs = readonly Word[]
export type Places = readonly Variable<Word>[]

export type Modulus = {
  readonly value: bigint
  /** The power of two next to it: the modulus differs from 2^bits by less than 2^(bits - 32). */
  readonly bits: number
}

/** @param value of a group's order, next to a power of two as all of ours are */
export function modulusOf(value: bigint): Modulus {
  const length = value.toString(2).length
  const bits = value >> BigInt(length - 2) === 2n ? length - 1 : length
  const distance = value - (1n << BigInt(bits))
  assert((distance < 0n ? -distance : distance) < 1n << BigInt(bits - 32))
  return { value, bits }
}

export function limbsOf(value: bigint): readonly bigint[] {
  return Array.from({ length: limbCount }, (_, i) => (value >> BigInt(i * limbBits)) & limbMask)
}

export function constants(value: bigint): Limbs {
  return limbsOf(value).map(word.constant)
}

export function read(places: Places): Limbs {
  return places.map(({ get }) => get)
}

export function assign(places: Places, values: readonly Word[]): Step {
  return places.flatMap(({ set }, i) => set(values[i] ?? word.constant(0n)))
}

/** The limbs of the number in the 32 bytes at `at`, least significant byte first. */
export function load(at: Index, offset: number): Limbs {
  return split(Array.from({ length: wordCount }, (_, i) => word.load(at, offset + 8 * i)))
}

/** @param words least significant first; those that are missing are zero */
export function split(words: readonly Word[]): Limbs {
  return Array.from({ length: limbCount }, (_, i) => {
    const [at, shift] = [Math.floor((i * limbBits) / 64), (i * limbBits) % 64]
    const [here, above] = [words[at], words[at + 1]]
    if (here === undefined) return word.constant(0n)
    const low = shift === 0 ? here : word.right(here, shift)
    const isWithin = shift + limbBits <= 64 || above === undefined
    return masked(isWithin ? low : word.or(low, word.left(above, 64 - shift)))
  })
}

/** The four words of a number below 2^256 whose limbs are all below 2^29. */
export function join(limbs: Limbs): readonly Word[] {
  return Array.from({ length: wordCount }, (_, i) => {
    const parts = limbs.flatMap((limb, k) => {
      const shift = k * limbBits - i * 64
      if (shift <= -limbBits || shift >= 64) return []
      return [shift < 0 ? word.right(limb, -shift) : word.left(limb, shift)]
    })
    return parts.reduce(word.or)
  })
}

export function store(at: Index, offset: number, limbs: Limbs): Step {
  return join(limbs).flatMap((value, i) => word.store(at, offset + 8 * i, value))
}

export function plus(a: Limbs, b: Limbs): Limbs {
  return a.map((limb, i) => word.add(limb, b[i] ?? word.constant(0n)))
}

export function minus(a: Limbs, b: Limbs): Limbs {
  return a.map((limb, i) => word.subtract(limb, b[i] ?? word.constant(0n)))
}

/** Every limb if the mask is all ones, nothing if it is zero. */
export function under(mask: Word, limbs: Limbs): Limbs {
  return limbs.map((limb) => word.and(limb, mask))
}

/** The 17 columns of a product, not carried: each adds up to nine products of two limbs. */
export function product(a: Limbs, b: Limbs): readonly Word[] {
  return Array.from({ length: 2 * limbCount - 1 }, (_, column) =>
    a
      .flatMap((limb, i) => {
        const other = b[column - i]
        return other === undefined ? [] : [word.multiply(limb, other)]
      })
      .reduce(word.add),
  )
}

/** Moves what is above 29 bits to the next place, signed or not: the highest keeps its own. */
export function carry(places: Places, shift = word.rightSigned): Step {
  return places.flatMap((place, i) => {
    const next = places[i + 1]
    if (next === undefined) return []
    return [
      ...next.set(word.add(next.get, shift(place.get, limbBits))),
      ...place.set(masked(place.get)),
    ]
  })
}

/**
 * Montgomery 1985: what is in the columns, divided by R modulo q, is left in `columns[9]` and above,
 * carried. For a number below m·R it is below (m + 1)·q.
 *
 * @param columns 18 places, the sum of each with 9·2^58 below 2^64
 */
export function reduce(scope: Scope, { value }: Modulus, columns: Places): Step {
  const factor = scope.word()
  const inverse = word.constant(negativeInverse(value))
  const modulus = limbsOf(value)
  const steps = columns.slice(0, limbCount).map((column, i): Step => {
    const added = modulus.flatMap((limb, j) => {
      const place = columns[i + j]
      if (limb === 0n || place === undefined) return []
      const term = limb === 1n ? factor.get : word.multiply(factor.get, word.constant(limb))
      return [place.set(word.add(place.get, term))]
    })
    const next = columns[i + 1]
    if (next === undefined) return []
    return [
      ...factor.set(masked(word.multiply(column.get, inverse))),
      ...added.flat(),
      ...next.set(word.add(next.get, word.right(column.get, limbBits))),
    ]
  })
  return [...steps.flat(), ...carry(columns.slice(limbCount), word.right)]
}

/**
 * The residue of a carried number from 0 to some hundred times the modulus. The bits above the
 * modulus' own say, but for one, how often it goes in; masks put right what they say too much.
 */
export function canonical(scope: Scope, modulus: Modulus, places: Places): Step {
  const { value, bits } = modulus
  const often = scope.word()
  const sign = scope.word()
  const highest = places[limbCount - 1]?.get ?? word.constant(0n)
  const above = word.right(highest, bits - limbBits * (limbCount - 1))
  const putRight: Step = [
    ...sign.set(word.rightSigned(highest, 63)),
    ...assign(places, plus(read(places), under(sign.get, constants(value)))),
    ...carry(places),
  ]
  return [
    ...often.set(word.add(above, word.constant(1n))),
    ...limbsOf(value).flatMap((limb, i) => {
      const place = places[i]
      if (limb === 0n || place === undefined) return []
      return place.set(word.subtract(place.get, word.multiply(often.get, word.constant(limb))))
    }),
    ...carry(places),
    ...putRight,
    // Above the power of two the modulus goes in less often than the bits say: once more.
    ...(value >> BigInt(bits) === 0n ? [] : putRight),
  ]
}

function masked(value: Word): Word {
  return word.and(value, word.constant(limbMask))
}

/** -q^-1 modulo 2^29, by Newton's iteration: each step doubles the bits that are right. */
function negativeInverse(value: bigint): bigint {
  let inverse = 1n
  for (let bits = 1; bits < limbBits; bits *= 2)
    inverse = (inverse * (2n - value * inverse)) & limbMask
  return -inverse & limbMask
}
