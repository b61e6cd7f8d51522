import { bigToBytes, equalBytes } from '@quorate/core/bytes'
import {
  type Curve,
  curveRoutines,
  elementSize,
  pointSize,
  scratchLength,
  tableLength,
  tableSize,
  windowCount,
} from './curve-routines.ts'
import { type Engine, engineOf } from './engine.ts'
import { numberSize } from './modular.ts'
import type { Scalar } from './numbers.ts'

/** 04 ‖ x ‖ y, or for the identity one byte zero: SEC 1, 2.3.3. Checked by whoever made it. */
type Bytes = Uint8Array

/** A group whose every operation takes a time that depends on nothing but which one it is. */
export type CurveKernel = {
  readonly add: (a: Bytes, b: Bytes) => Bytes
  readonly multiply: (point: Bytes, secret: Scalar) => Bytes
  readonly multiplyBase: (secret: Scalar) => Bytes
}

const uncompressedSize = 65
const identity = Uint8Array.of(0)

/** What stays: 3·b and the base point's tables. */
const b3 = 0
const one = b3 + elementSize
const baseTables = one + elementSize
/** What is wiped. */
const work = baseTables + windowCount * tableSize
const bytesAt = work
const scalarAt = bytesAt + numberSize
const sum = scalarAt + numberSize
const term = sum + pointSize
const chosen = term + pointSize
const power = chosen + pointSize
const table = power + elementSize
const scratch = table + tableSize
const size = scratch + scratchLength * elementSize

/** @param base 04 ‖ x ‖ y */
export function curveKernel(curve: Curve, base: Bytes): CurveKernel {
  let started: Engine | undefined
  const engine = (): Engine => (started ??= startOf(curve, base))
  return {
    add(a, b) {
      const { run } = engine()
      putPoint(engine(), sum, a)
      putPoint(engine(), term, b)
      run('add', sum, sum, term)
      return takePoint(engine(), curve)
    },
    multiply(point, secret) {
      putPoint(engine(), term, point)
      fillTable(engine(), table, term)
      putScalar(engine(), secret)
      putPoint(engine(), sum, identity)
      engine().run('ladder', sum, table, scalarAt, windowCount - 1)
      return takePoint(engine(), curve)
    },
    multiplyBase(secret) {
      putScalar(engine(), secret)
      putPoint(engine(), sum, identity)
      engine().run('comb', sum, baseTables, scalarAt, 0)
      return takePoint(engine(), curve)
    },
  }
}

function startOf(curve: Curve, base: Bytes): Engine {
  const engine = engineOf(curveRoutines(curve, { b3, chosen, scratch }), size)
  const { data, run } = engine
  putNumber(engine, b3, bigEndian(3n * curve.b, curve.field.value))
  putNumber(engine, one, bigEndian(1n, curve.field.value))
  putPoint(engine, term, base)
  for (let window = 0; window < windowCount; window++) {
    fillTable(engine, baseTables + window * tableSize, term)
    for (let i = 0; i < 4; i++) run('add', term, term, term)
  }
  data.fill(0, work)
  return engine
}

/** 0·P to 15·P. */
function fillTable(engine: Engine, at: number, point: number): void {
  putPoint(engine, at, identity)
  for (let i = 1; i < tableLength; i++)
    engine.run('add', at + i * pointSize, at + (i - 1) * pointSize, point)
}

function putPoint(engine: Engine, at: number, point: Bytes): void {
  const { data } = engine
  data.fill(0, at, at + pointSize)
  const isIdentity = point.length !== uncompressedSize
  if (!isIdentity) {
    putNumber(engine, at, point.subarray(1, 33))
    putNumber(engine, at + elementSize, point.subarray(33))
  }
  // The identity is 0 : 1 : 0, any other point x : y : 1.
  data.copyWithin(at + (isIdentity ? elementSize : 2 * elementSize), one, one + elementSize)
}

/** As bytes again; nothing of it stays in the kernel's memory. */
function takePoint(engine: Engine, { field }: Curve): Bytes {
  const { data, run } = engine
  invert(engine, field.value)
  const out = new Uint8Array(uncompressedSize)
  for (const [i, offset] of [1, 33].entries()) {
    run('multiply', term, sum + i * elementSize, power)
    run('leave', bytesAt, term)
    for (let at = 0; at < numberSize; at++)
      out[offset + at] = data[bytesAt + numberSize - 1 - at] ?? 0
  }
  out[0] = 4
  data.fill(0, work)
  // With Z = 0 its inverse by Fermat is 0 as well, and (0, 0) is on no curve with b ≠ 0.
  return equalBytes(out, nowhere) ? identity : out
}

const nowhere = new Uint8Array(uncompressedSize).fill(4, 0, 1)

/** Z^(p - 2), Fermat: the exponent, which says what is done, is public. */
function invert({ data, run }: Engine, prime: bigint): void {
  data.copyWithin(power, one, one + elementSize)
  for (const bit of (prime - 2n).toString(2)) {
    run('multiply', power, power, power)
    if (bit === '1') run('multiply', power, power, sum + 2 * elementSize)
  }
}

function putScalar({ data }: Engine, secret: Scalar): void {
  putReversed(data, scalarAt, secret)
}

function putNumber({ data, run }: Engine, at: number, number: Uint8Array): void {
  putReversed(data, bytesAt, number)
  run('enter', at, bytesAt)
}

function putReversed(data: Uint8Array, at: number, bytes: Uint8Array): void {
  for (let i = 0; i < numberSize; i++) data[at + numberSize - 1 - i] = bytes[i] ?? 0
}

function bigEndian(value: bigint, prime: bigint): Uint8Array {
  return bigToBytes(value % prime, numberSize)
}
