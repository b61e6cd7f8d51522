import assert from 'node:assert/strict'
import type { Routine } from './assembler.ts'
import { type Engine, engineOf } from './engine.ts'
import { type Modulus, numberSize } from './modular.ts'
import {
  type NumberKernel,
  putBytes,
  type Scalar,
  type Weights,
  weightsOf,
  wideSizeMin as padSize,
} from './numbers.ts'
import { close, columnCount, mask, residues, select } from './scalar-routines.ts'

export type Closed = {
  /** μ: one number for each row. */
  readonly mu: Uint8Array
  /** Σ g_j · column_j for the two product columns. */
  readonly sums: readonly [Scalar, Scalar]
}

/** Arithmetic modulo a group's order, and on the rows of a multiplication, all of it constant time. */
export type ScalarKernel = NumberKernel & RowKernel

/** What is done to the rows of a multiplication by oblivious transfers, in time that depends on lengths. */
export type RowKernel = {
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

/** @param numbers of the same order: what it has assembled is not assembled twice */
export function scalarKernel(numbers: NumberKernel, modulus: Modulus): ScalarKernel {
  return { ...numbers, ...rowKernel(modulus) }
}

/** Assembles nothing before its first use: a process may never sign on a curve. */
function rowKernel(modulus: Modulus): RowKernel {
  const order = modulus.value
  let started: Engine | undefined
  const engine = (): Engine => (started ??= engineOf(rowRoutines(modulus), size))
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

export function rowRoutines(modulus: Modulus): readonly Routine[] {
  return [residues(modulus, 'narrow', padSize), mask(modulus), close(modulus), select(modulus)]
}

function rowsIn(pads: Uint8Array): number {
  const rows = pads.length / (columnCount * numberSize)
  assert(Number.isInteger(rows) && rows > 0 && rows <= rowsMax)
  return rows
}

function putScalar(data: Uint8Array, scalar: Scalar, at: number): void {
  assert(scalar.length === numberSize)
  putBytes(data, at, scalar)
}

function takeScalar(data: Uint8Array, at: number): Scalar {
  return data.slice(at, at + numberSize).reverse()
}
