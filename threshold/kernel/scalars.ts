import assert from 'node:assert/strict'
import { equalBytes } from '@quorate/core/bytes'
import type { Routine } from './assembler.ts'
import { type Engine, engineOf } from './engine.ts'
import { type Modulus, numberSize, radix } from './modular.ts'
import { close, columnCount, mask, residues, select, single } from './scalar-routines.ts'

declare const checked: unique symbol
/**
 * A secret scalar: 32 bytes as its group has them, below the order. It is never a `bigint`, whose
 * arithmetic takes a time that depends on the numbers.
 */
export type Scalar = Uint8Array & { readonly [checked]?: 'scalar' }

/** Public numbers, each times R modulo q, as the kernel multiplies by them. */
export type Weights = Uint8Array & { readonly [checked]?: 'weights' }

export type Closed = {
  /** μ: one number for each row. */
  readonly mu: Uint8Array
  /** Σ g_j · column_j for the two product columns. */
  readonly sums: readonly [Scalar, Scalar]
}

/** Arithmetic modulo a group's order, in time that depends on lengths alone. */
export type ScalarKernel = {
  readonly add: (a: Scalar, b: Scalar) => Scalar
  readonly subtract: (a: Scalar, b: Scalar) => Scalar
  readonly multiply: (a: Scalar, b: Scalar) => Scalar
  /** Is this a scalar but zero? */
  readonly isScalar: (bytes: Uint8Array) => boolean
  /** At least 48 bytes to a scalar, at most 64, most significant first. */
  readonly reduce: (wide: Uint8Array) => Scalar
  /** Pads of 48 bytes to residues of 32, least significant byte first. */
  readonly narrow: (pads: Uint8Array) => Uint8Array
  readonly weightsOf: (numbers: readonly bigint[]) => Weights
  /** For each row and column zero - one + factor. */
  readonly mask: (zero: Uint8Array, one: Uint8Array, factors: readonly Scalar[]) => Uint8Array
  readonly close: (input: {
    readonly pads: Uint8Array
    readonly weights: Weights
    readonly theta: readonly [bigint, bigint]
    /** The receiver's: what is added to a row, and due in it, where the bit of the choice is set. */
    readonly chosen?: {
      readonly masked: Uint8Array
      readonly choice: Uint8Array
      readonly due: Scalar
    }
  }) => Closed
  /** The sum of the weights that are chosen. */
  readonly select: (weights: Weights, choice: Uint8Array) => Scalar
}

const zero = new Uint8Array(numberSize)
const wideSize = 64
const padSize = 48
/** Rows that fit the memory. */
const rowsMax = 512

/** Where things lie while a routine runs. */
const out = 0
const first = out + rowsMax * columnCount * numberSize
const second = first + rowsMax * columnCount * padSize
const weightsAt = second + rowsMax * columnCount * numberSize
const choiceAt = weightsAt + rowsMax * numberSize
const numbersAt = choiceAt + rowsMax / 8
const sumsAt = numbersAt + columnCount * numberSize
const size = sumsAt + 2 * numberSize

/** Assembles nothing before its first use: a process may never sign on a curve. */
export function scalarKernel(modulus: Modulus): ScalarKernel {
  let started: Engine | undefined
  const engine = (): Engine => (started ??= engineOf(routinesOf(modulus), size))
  return { ...numbersOn(engine), ...rowsOn(engine, modulus.value) }
}

type Numbers = Pick<ScalarKernel, 'add' | 'subtract' | 'multiply' | 'reduce' | 'isScalar'>

function numbersOn(engine: () => Engine): Numbers {
  /** What a routine has worked on does not stay. */
  const taken = (): Scalar => {
    const result = takeScalar(engine().data, 0)
    engine().data.fill(0, 0, singleSize)
    return result
  }
  const two =
    (name: string) =>
    (a: Scalar, b: Scalar): Scalar => {
      const { data, run } = engine()
      putScalar(data, a, numberSize)
      putScalar(data, b, 2 * numberSize)
      run(name, 0, numberSize, 2 * numberSize)
      return taken()
    }
  const subtract = two('subtract')
  return {
    add: two('add'),
    subtract,
    multiply: two('multiply'),
    reduce(wide) {
      assert(padSize <= wide.length && wide.length <= wideSize)
      putReversed(engine().data, wide, numberSize)
      engine().run('reduce', 0, numberSize, 1)
      return taken()
    },
    isScalar(bytes) {
      if (bytes.length !== numberSize) return false
      const reduced = subtract(bytes, zero)
      return equalBytes(reduced, bytes) && !equalBytes(reduced, zero)
    },
  }
}

function rowsOn(engine: () => Engine, order: bigint): Omit<ScalarKernel, keyof Numbers> {
  const put = (bytes: Uint8Array, at: number): void => engine().data.set(bytes, at)
  const take = (at: number, length: number): Uint8Array => engine().data.slice(at, at + length)
  const wiping = <T>(result: T): T => {
    engine().data.fill(0)
    return result
  }
  return {
    narrow(pads) {
      const count = pads.length / padSize
      assert(Number.isInteger(count) && count <= rowsMax * columnCount)
      put(pads, first)
      engine().run('narrow', out, first, count)
      return wiping(take(out, count * numberSize))
    },
    weightsOf: (numbers) => weightsOf(numbers, order),
    mask(zero, one, factors) {
      const rows = rowsIn(zero)
      assert(one.length === zero.length && factors.length === columnCount)
      put(zero, first)
      put(one, second)
      for (const [i, factor] of factors.entries())
        putScalar(engine().data, factor, numbersAt + i * numberSize)
      engine().run('mask', out, first, second, rows, numbersAt)
      return wiping(take(out, zero.length))
    },
    close({ pads, weights, theta, chosen }) {
      const rows = rowsIn(pads)
      assert(weights.length === rows * numberSize)
      put(pads, first)
      put(weights, weightsAt)
      put(weightsOf(theta, order), numbersAt)
      // The sender has chosen nothing: zeros lie there, as everywhere before a routine runs.
      if (chosen !== undefined) {
        assert(chosen.masked.length === pads.length)
        put(chosen.masked, second)
        put(chosen.choice.subarray(0, rows / 8), choiceAt)
        putScalar(engine().data, chosen.due, numbersAt + 2 * numberSize)
      }
      const { data, run } = engine()
      run('close', out, first, second, weightsAt, rows, choiceAt, numbersAt, sumsAt, 0)
      return wiping({
        mu: take(out, rows * numberSize),
        sums: [takeScalar(data, sumsAt), takeScalar(data, sumsAt + numberSize)],
      })
    },
    select(weights, choice) {
      const rows = weights.length / numberSize
      assert(rows <= rowsMax && rows <= choice.length * 8)
      put(weights, weightsAt)
      put(choice.subarray(0, rows / 8), choiceAt)
      engine().run('select', sumsAt, weightsAt, choiceAt, rows, 0)
      return wiping(takeScalar(engine().data, sumsAt))
    },
  }
}

export function routinesOf(modulus: Modulus): readonly Routine[] {
  return [
    ...single(modulus),
    residues(modulus, 'reduce', wideSize),
    residues(modulus, 'narrow', padSize),
    mask(modulus),
    close(modulus),
    select(modulus),
  ]
}

/** The part of the memory that single numbers lie in. */
const singleSize = numberSize + wideSize

function rowsIn(pads: Uint8Array): number {
  const rows = pads.length / (columnCount * numberSize)
  assert(Number.isInteger(rows) && rows > 0 && rows <= rowsMax)
  return rows
}

function putScalar(data: Uint8Array, scalar: Scalar, at: number): void {
  assert(scalar.length === numberSize)
  putReversed(data, scalar, at)
}

/** The kernel counts from the least significant byte. */
function putReversed(data: Uint8Array, bytes: Uint8Array, at: number): void {
  const last = at + bytes.length - 1
  for (let i = 0; i < bytes.length; i++) data[last - i] = bytes[i] ?? 0
}

function takeScalar(data: Uint8Array, at: number): Scalar {
  return data.slice(at, at + numberSize).reverse()
}

function weightsOf(numbers: readonly bigint[], modulus: bigint): Weights {
  const bytes = new Uint8Array(numbers.length * numberSize)
  const view = new DataView(bytes.buffer)
  for (const [i, number] of numbers.entries()) {
    let rest = (number * radix) % modulus
    for (let at = 0; at < numberSize; at += 8, rest >>= 64n)
      view.setBigUint64(i * numberSize + at, BigInt.asUintN(64, rest), true)
  }
  return bytes
}
