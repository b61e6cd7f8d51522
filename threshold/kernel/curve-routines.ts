import assert from 'node:assert/strict'
import { type Index, index, type Routine, type Scope, type Step, word } from './assembler.ts'
import {
  assign,
  canonical,
  carry,
  constants,
  type Limbs,
  limbCount,
  load,
  minus,
  type Modulus,
  plus,
  product,
  radix,
  read,
  reduce,
  store,
} from './modular.ts'
import { advance, parameter, pointers } from './scope.ts'

/** y² = x³ + x + b over a prime field, a group of odd order. */
export type Curve = { readonly field: Modulus; readonly b: bigint }

/** A field element lies as its nine limbs, a word each, times R and below some multiple of the prime. */
export const elementSize = limbCount * 8
/** X, Y and Z: the point is (X/Z, Y/Z), and Z = 0 is the identity. */
export const pointSize = 3 * elementSize

/** A scalar is taken four bits at a time, from a table of all sixteen multiples. */
export const windowCount = 64
export const tableLength = 16
export const tableSize = tableLength * pointSize

/** Where routines keep what lies between their steps. */
export type Places = {
  /** 3·b. */
  readonly b3: number
  readonly chosen: number
  readonly scratch: number
}
/** Elements that an addition makes on its way. */
export const scratchLength = 40

export function curveRoutines({ field }: Curve, places: Places): readonly Routine[] {
  return [
    multiply(field),
    combine('plus', plus),
    combine('minus8', (a, b) => plus(minus(a, b), constants(8n * field.value))),
    combine('minus16', (a, b) => plus(minus(a, b), constants(16n * field.value))),
    enter(field),
    leave(field),
    addition(field, places),
    choice(),
    ladder(places),
    comb(places),
  ]
}

function multiply(field: Modulus): Routine {
  return {
    name: 'multiply',
    parameters: 3,
    write(scope) {
      const [out, a, b] = pointers(scope)
      const [left, right] = [scope.words(limbCount), scope.words(limbCount)]
      const columns = scope.words(2 * limbCount)
      return [
        assign(left, loadElement(a)),
        assign(right, loadElement(b)),
        assign(columns, product(read(left), read(right))),
        reduce(scope, field, columns),
        storeElement(out, read(columns).slice(limbCount)),
      ]
    },
  }
}

function combine(name: string, make: (a: Limbs, b: Limbs) => Limbs): Routine {
  return {
    name,
    parameters: 3,
    write(scope) {
      const [out, a, b] = pointers(scope)
      const limbs = scope.words(limbCount)
      return [
        assign(limbs, make(loadElement(a), loadElement(b))),
        carry(limbs),
        storeElement(out, read(limbs)),
      ]
    },
  }
}

/** An element from 32 bytes, least significant first. */
function enter(field: Modulus): Routine {
  return {
    name: 'enter',
    parameters: 2,
    write(scope) {
      const [out, from] = pointers(scope)
      const limbs = scope.words(limbCount)
      const columns = scope.words(2 * limbCount)
      return [
        assign(limbs, load(from, 0)),
        assign(columns, product(read(limbs), constants((radix * radix) % field.value))),
        reduce(scope, field, columns),
        storeElement(out, read(columns).slice(limbCount)),
      ]
    },
  }
}

/** And back, to the one residue. */
function leave(field: Modulus): Routine {
  return {
    name: 'leave',
    parameters: 2,
    write(scope) {
      const [out, from] = pointers(scope)
      const columns = scope.words(2 * limbCount)
      const limbs = columns.slice(limbCount)
      return [
        assign(columns, loadElement(from)),
        reduce(scope, field, columns),
        canonical(scope, field, limbs),
        store(out, 0, read(limbs)),
      ]
    },
  }
}

/**
 * The sum of any two points, also equal or opposite ones and the identity: Renes, Costello and Batina
 * 2015 (ePrint 2015/1060), algorithm 1, with a = 1. One formula has no cases to tell apart.
 */
function addition(field: Modulus, { b3: b3At, scratch }: Places): Routine {
  return {
    name: 'add',
    parameters: 3,
    write(scope) {
      const [out, p, q] = pointers(scope)
      const { steps, times, sum, difference } = formulas(scope, field, scratch)
      const [x1, y1, z1] = coordinates(p)
      const [x2, y2, z2] = coordinates(q)
      const [x3, y3, z3] = coordinates(out)
      const b3 = { at: index.constant(b3At), bound: productBound }

      const [xx, yy, zz] = [times(x1, x2), times(y1, y2), times(z1, z2)]
      const xy = difference(times(sum(x1, y1), sum(x2, y2)), sum(xx, yy))
      const xz = difference(times(sum(x1, z1), sum(x2, z2)), sum(xx, zz))
      const yz = difference(times(sum(y1, z1), sum(y2, z2)), sum(yy, zz))
      const middle = sum(times(b3, zz), xz)
      const [less, more] = [difference(yy, middle), sum(yy, middle)]
      const slope = sum(sum(sum(xx, xx), xx), zz)
      const rest = sum(times(b3, xz), difference(xx, zz))
      difference(times(xy, less), times(yz, rest), x3)
      sum(times(less, more), times(slope, rest), y3)
      sum(times(yz, more), times(xy, slope), z3)
      return steps
    },
  }
}

type Element = { readonly at: Index; readonly bound: number }

/** A product of elements below m·p and n·p is below 2p as long as m·n is no more than R/p. */
const productBound = 2
/** Of the coordinates of a point, as `add` leaves them and takes them. */
const pointBounds = [10, 4, 4] as const

function coordinates(point: Index): readonly [Element, Element, Element] {
  const at = (i: number): Index => index.add(point, index.constant(i * elementSize))
  const [x, y, z] = pointBounds
  return [
    { at: at(0), bound: x },
    { at: at(1), bound: y },
    { at: at(2), bound: z },
  ]
}

/** Writes a formula step by step, every value to a place of its own, and keeps account of its size. */
function formulas(scope: Scope, { value }: Modulus, scratch: number) {
  const steps: Step[] = []
  let used = 0
  const put = (name: string, [a, b]: readonly [Element, Element], bound: number, to?: Element) => {
    assert(to === undefined || bound <= to.bound, 'a coordinate larger than any formula takes')
    assert(used < scratchLength)
    const out = to ?? { at: index.constant(scratch + used++ * elementSize), bound }
    steps.push(scope.call(name, out.at, a.at, b.at))
    return out
  }
  return {
    steps,
    times(a: Element, b: Element): Element {
      assert(BigInt(a.bound * b.bound) <= radix / value)
      return put('multiply', [a, b], productBound)
    },
    sum: (a: Element, b: Element, to?: Element): Element =>
      put('plus', [a, b], a.bound + b.bound, to),
    difference(a: Element, b: Element, to?: Element): Element {
      const added = b.bound <= 8 ? 8 : 16
      assert(b.bound <= added)
      return put(`minus${added}`, [a, b], a.bound + added, to)
    },
  }
}

/** The table's entry for a window of the scalar: all are read, and a mask keeps one. */
function choice(): Routine {
  return {
    name: 'choose',
    parameters: 5,
    write(scope) {
      const [table, out, scalar, window, number] = pointers(scope)
      const [digit, mask] = [scope.word(), scope.word()]
      const kept = scope.words(pointSize / 8)
      const byte = index.add(scalar, index.right(window, 1))
      const shift = index.left(index.and(window, index.constant(1)), 2)
      const difference = word.xor(digit.get, word.of(number))
      return [
        digit.set(word.and(word.rightBy(word.load8(byte, 0), shift), word.constant(15n))),
        // Two numbers below 16 differ by something positive, unless they are the same.
        scope.repeat(
          index.constant(tableLength),
          mask.set(word.rightSigned(word.subtract(difference, word.constant(1n)), 63)),
          ...kept.map((place, i) =>
            place.set(word.or(place.get, word.and(word.load(table, 8 * i), mask.get))),
          ),
          advance(scope, [pointSize]),
          parameter(scope, 4).set(index.add(number, index.constant(1))),
        ),
        ...kept.map(({ get }, i) => word.store(out, 8 * i, get)),
      ]
    },
  }
}

/** Any point, by the table of its multiples: from the highest window down, four doublings for each. */
function ladder({ chosen }: Places): Routine {
  return {
    name: 'ladder',
    parameters: 4,
    write(scope) {
      const [out, table, scalar, window] = pointers(scope)
      const kept = index.constant(chosen)
      return [
        scope.repeat(
          index.constant(windowCount),
          scope.repeat(index.constant(4), scope.call('add', out, out, out)),
          scope.call('choose', table, kept, scalar, window, index.constant(0)),
          scope.call('add', out, out, kept),
          parameter(scope, 3).set(index.subtract(window, index.constant(1))),
        ),
      ]
    },
  }
}

/** The base point, by a table for every window: no doublings. */
function comb({ chosen }: Places): Routine {
  return {
    name: 'comb',
    parameters: 4,
    write(scope) {
      const [out, table, scalar, window] = pointers(scope)
      const kept = index.constant(chosen)
      return [
        scope.repeat(
          index.constant(windowCount),
          scope.call('choose', table, kept, scalar, window, index.constant(0)),
          scope.call('add', out, out, kept),
          parameter(scope, 1).set(index.add(table, index.constant(tableSize))),
          parameter(scope, 3).set(index.add(window, index.constant(1))),
        ),
      ]
    },
  }
}

function loadElement(at: Index): Limbs {
  return Array.from({ length: limbCount }, (_, i) => word.load(at, 8 * i))
}

function storeElement(at: Index, limbs: Limbs): Step {
  return limbs.flatMap((limb, i) => word.store(at, 8 * i, limb))
}
