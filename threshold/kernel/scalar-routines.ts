import {
  type Index,
  index,
  type Routine,
  type Scope,
  type Step,
  word,
  type Word,
} from './assembler.ts'
import {
  assign,
  canonical,
  carry,
  constants,
  join,
  type Limbs,
  limbCount,
  load,
  minus,
  type Modulus,
  numberSize,
  type Places,
  plus,
  product,
  radix,
  read,
  reduce,
  split,
  store,
  under,
} from './modular.ts'
import { advance, bitMask, parameter, pointers } from './scope.ts'

/** Terms of one sum: more than any cluster has parties. */
export const termsMax = 16

/** A row of a multiplication: by the nonce, by the key, and the check column. */
export const columnCount = 3
const rowSize = columnCount * numberSize
const columnPlaces = 2 * limbCount

/** One number from one or two, each canonical. */
export function single(modulus: Modulus): readonly Routine[] {
  const { value } = modulus
  const two = (name: string, make: (scope: Scope, a: Limbs, b: Limbs, out: Places) => Step) => ({
    name,
    parameters: 3,
    write(scope: Scope): readonly Step[] {
      const [out, a, b] = pointers(scope)
      const places = scope.words(limbCount)
      return [
        make(scope, load(a, 0), load(b, 0), places),
        carry(places),
        canonical(scope, modulus, places),
        store(out, 0, read(places)),
      ]
    },
  })
  return [
    two('add', (_, a, b, out) => assign(out, plus(a, b))),
    two('subtract', (_, a, b, out) => assign(out, plus(minus(a, b), constants(value)))),
    two('multiply', (scope, a, b, out) => {
      const columns = scope.words(columnPlaces)
      const [left, right] = [scope.words(limbCount), scope.words(limbCount)]
      return [
        ...[...assign(left, a), ...assign(right, b)],
        ...assign(columns, product(read(left), read(right))),
        ...reduce(scope, modulus, columns),
        // Twice R is lost, and R² makes up for it.
        ...assign(left, read(columns).slice(limbCount)),
        ...assign(columns, product(read(left), constants((radix * radix) % value))),
        ...reduce(scope, modulus, columns),
        ...assign(out, read(columns).slice(limbCount)),
      ]
    }),
  ]
}

/** The sum of `count` products, at most `termsMax`, of a number below 2^256 and a weight, which is times R. */
export function combine(modulus: Modulus): Routine {
  return {
    name: 'combine',
    parameters: 4,
    write(scope) {
      const [out, numbers, weights, count] = pointers(scope)
      const [left, right] = [scope.words(limbCount), scope.words(limbCount)]
      const sum = scope.words(columnPlaces)
      const next = index.constant(numberSize)
      return [
        scope.repeat(
          count,
          assign(left, load(numbers, 0)),
          assign(right, load(weights, 0)),
          assign(sum, plus(read(sum), product(read(left), read(right)))),
          // All columns are below 2^29 again, but the highest, which nothing is added to but carries.
          carry(sum, word.right),
          parameter(scope, 1).set(index.add(numbers, next)),
          parameter(scope, 2).set(index.add(weights, next)),
        ),
        reduce(scope, modulus, sum),
        canonical(scope, modulus, sum.slice(limbCount)),
        store(out, 0, read(sum).slice(limbCount)),
      ]
    },
  }
}

/** `count` numbers of `size` bytes each, at most 64, become residues. */
export function residues(modulus: Modulus, name: string, size: number): Routine {
  const { value } = modulus
  return {
    name,
    parameters: 3,
    write(scope) {
      const [out, from, count] = pointers(scope)
      const columns = scope.words(columnPlaces)
      const places = columns.slice(limbCount)
      const wordsAt = (at: number, end: number): readonly Word[] =>
        Array.from({ length: (end - at) / 8 }, (_, i) => word.load(from, at + 8 * i))
      const [low, high] = [scope.words(limbCount), scope.words(limbCount)]
      const [one, shifted] = [radix % value, (radix << 256n) % value].map(constants)
      return [
        scope.repeat(
          count,
          assign(low, split(wordsAt(0, numberSize))),
          assign(high, split(wordsAt(numberSize, size))),
          assign(columns, plus(product(read(low), one ?? []), product(read(high), shifted ?? []))),
          reduce(scope, modulus, columns),
          canonical(scope, modulus, places),
          store(out, 0, read(places)),
          advance(scope, [numberSize, size]),
        ),
      ]
    },
  }
}

/** ã: for each row and column pad 0 - pad 1 + factor. The pads are below 2^256. */
export function mask(modulus: Modulus): Routine {
  const twice = constants(2n * modulus.value)
  return {
    name: 'mask',
    parameters: 5,
    write(scope) {
      const [out, zero, one, rows, factors] = pointers(scope)
      const places = scope.words(limbCount)
      const added = Array.from({ length: columnCount }, () => scope.words(limbCount))
      const columns = added.map((factor, i): Step => {
        const at = i * numberSize
        const difference = minus(plus(load(zero, at), read(factor)), load(one, at))
        return [
          ...assign(places, plus(difference, twice)),
          ...carry(places),
          ...canonical(scope, modulus, places),
          ...store(out, at, read(places)),
        ]
      })
      return [
        ...added.map((factor, i) => assign(factor, load(factors, i * numberSize))),
        scope.repeat(rows, ...columns, advance(scope, [rowSize, rowSize, rowSize])),
      ]
    },
  }
}

/**
 * What either party makes of its rows. A row is opened: pad plus what the choice bit takes of `masked`
 * (nothing, for the sender). Out of it come μ = third + θ₁·first + θ₂·second - bit·due, most significant
 * byte first, and at the end both Σ g·first and Σ g·second.
 *
 * `numbers` holds θ₁ and θ₂ times R, then `due`; the gadget's entries are times R as well.
 */
export function close(modulus: Modulus): Routine {
  return {
    name: 'close',
    parameters: 9,
    write(scope) {
      const [mu, pads, masked, gadget, rows, choice, numbers, out, at] = pointers(scope)
      const bit = scope.word()
      const opened = Array.from({ length: columnCount }, () => scope.words(limbCount))
      const [first = [], second = [], third = []] = opened.map(read)
      const [theta, weight] = [[0, 1].map(() => scope.words(limbCount)), scope.words(limbCount)]
      const [by = [], and = []] = theta.map(read)
      const columns = scope.words(columnPlaces)
      const places = columns.slice(limbCount)
      const sums = [0, 1].map(() => scope.words(columnPlaces))
      const weighed = sums.flatMap((sum, i): Step => [
        ...assign(
          sum,
          plus(read(sum), product(opened[i]?.map(({ get }) => get) ?? [], read(weight))),
        ),
        ...carry(sum, word.right),
      ])
      const due = under(bit.get, load(numbers, 2 * numberSize))
      return [
        ...theta.map((limbs, i) => assign(limbs, load(numbers, i * numberSize))),
        scope.repeat(
          rows,
          bit.set(bitMask(choice, at)),
          ...opened.flatMap((limbs, i) => [
            assign(
              limbs,
              plus(load(pads, i * numberSize), under(bit.get, load(masked, i * numberSize))),
            ),
            carry(limbs),
          ]),
          assign(columns, plus(product(first, by), product(second, and))),
          reduce(scope, modulus, columns),
          assign(places, plus(minus(plus(read(places), third), due), constants(modulus.value))),
          carry(places),
          canonical(scope, modulus, places),
          storeReversed(scope, mu, read(places)),
          assign(weight, load(gadget, 0)),
          weighed,
          advance(scope, [numberSize, rowSize, rowSize, numberSize]),
          parameter(scope, 8).set(index.add(at, index.constant(1))),
        ),
        ...sums.flatMap((sum, i) => [
          reduce(scope, modulus, sum),
          canonical(scope, modulus, sum.slice(limbCount)),
          store(out, i * numberSize, read(sum).slice(limbCount)),
        ]),
      ]
    },
  }
}

/** χ: the sum of the gadget's entries, each times R, whose choice bit is set. */
export function select(modulus: Modulus): Routine {
  return {
    name: 'select',
    parameters: 5,
    write(scope) {
      const [out, gadget, choice, rows, at] = pointers(scope)
      const columns = scope.words(columnPlaces)
      const sum = columns.slice(0, limbCount)
      const places = columns.slice(limbCount)
      const chosen = under(bitMask(choice, at), load(gadget, 0))
      return [
        scope.repeat(
          rows,
          assign(sum, plus(read(sum), chosen)),
          parameter(scope, 1).set(index.add(gadget, index.constant(numberSize))),
          parameter(scope, 4).set(index.add(at, index.constant(1))),
        ),
        carry(sum),
        reduce(scope, modulus, columns),
        canonical(scope, modulus, places),
        store(out, 0, read(places)),
      ]
    },
  }
}

/** Most significant byte first, as a hash takes numbers. */
function storeReversed(scope: Scope, at: Index, limbs: Limbs): Step {
  const value = scope.word()
  const swap = (bits: number, low: bigint): Step => {
    const kept = word.constant(low)
    const up = word.left(word.and(value.get, kept), bits)
    return value.set(word.or(up, word.and(word.right(value.get, bits), kept)))
  }
  return join(limbs).flatMap((part, i) => [
    ...value.set(part),
    ...swap(8, 0x00ff00ff00ff00ffn),
    ...swap(16, 0x0000ffff0000ffffn),
    ...swap(32, 0x00000000ffffffffn),
    ...word.store(at, numberSize - 8 * (i + 1), value.get),
  ])
}
