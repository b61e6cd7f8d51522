import assert from 'node:assert/strict'
import { equalBytes } from '@quorate/core/bytes'
import type { Routine } from './assembler.ts'
import { type Engine, engineOf } from './engine.ts'
import { type Modulus, numberSize, radix } from './modular.ts'
import { combine, residues, single, termsMax } from './scalar-routines.ts'

declare const checked: unique symbol
/**
 * A secret scalar: 32 bytes as its group has them, below the order. It is never a `bigint`, whose
 * arithmetic takes a time that depends on the numbers.
 */
export type Scalar = Uint8Array & { readonly [checked]?: 'scalar' }

/** Public numbers, each times R modulo q, as the kernel multiplies by them. */
export type Weights = Uint8Array & { readonly [checked]?: 'weights' }

/** Arithmetic modulo a group's order, in time that depends on lengths and counts alone. */
export type NumberKernel = {
  readonly add: (a: Scalar, b: Scalar) => Scalar
  readonly subtract: (a: Scalar, b: Scalar) => Scalar
  readonly multiply: (a: Scalar, b: Scalar) => Scalar
  /** The sum of each secret times its weight: secrets are bytes, and a weight, which is public, a number. */
  readonly combine: (secrets: readonly Scalar[], weights: readonly bigint[]) => Scalar
  /** Is this a scalar but zero? */
  readonly isScalar: (bytes: Uint8Array) => boolean
  /** Is this a scalar, be it zero? */
  readonly isResidue: (bytes: Uint8Array) => boolean
  /** At least 48 bytes to a scalar, at most 64. */
  readonly reduce: (wide: Uint8Array) => Scalar
}

export type Endian = 'big' | 'little'

const zero = new Uint8Array(numberSize)
export const wideSize = 64
/** 128 bits above a 256-bit order, so that no residue is favoured by more than 2^-128. */
export const wideSizeMin = 48

/** Where numbers lie while a routine runs. */
const out = 0
const first = out + numberSize
const second = first + termsMax * numberSize
const size = second + termsMax * numberSize

/** Assembles nothing before its first use: a process may never compute on a group. */
export function numberKernel(modulus: Modulus, endian: Endian = 'big'): NumberKernel {
  let started: Engine | undefined
  const engine = (): Engine => (started ??= engineOf(numberRoutines(modulus), size))
  const put = (bytes: Uint8Array, at: number): void => putBytes(engine().data, at, bytes, endian)
  const putScalar = (scalar: Scalar, at: number): void => {
    assert(scalar.length === numberSize)
    put(scalar, at)
  }
  /** What a routine has worked on does not stay. */
  const taken = (): Scalar => {
    const { data } = engine()
    const result = data.slice(out, out + numberSize)
    data.fill(0, 0, size)
    return endian === 'big' ? result.reverse() : result
  }
  const two =
    (name: string) =>
    (a: Scalar, b: Scalar): Scalar => {
      putScalar(a, first)
      putScalar(b, second)
      engine().run(name, out, first, second)
      return taken()
    }
  const subtract = two('subtract')
  const isResidue = (bytes: Uint8Array): boolean =>
    bytes.length === numberSize && equalBytes(subtract(bytes, zero), bytes)
  return {
    add: two('add'),
    subtract,
    multiply: two('multiply'),
    combine(secrets, weights) {
      const count = secrets.length
      assert(1 <= count && count <= termsMax && weights.length === count)
      for (const [i, secret] of secrets.entries()) putScalar(secret, first + i * numberSize)
      engine().data.set(weightsOf(weights, modulus.value), second)
      engine().run('combine', out, first, second, count)
      return taken()
    },
    isResidue,
    isScalar: (bytes) => isResidue(bytes) && !equalBytes(bytes, zero),
    reduce(wide) {
      assert(wideSizeMin <= wide.length && wide.length <= wideSize)
      put(wide, first)
      engine().run('reduce', out, first, 1)
      return taken()
    },
  }
}

export function numberRoutines(modulus: Modulus): readonly Routine[] {
  return [...single(modulus), combine(modulus), residues(modulus, 'reduce', wideSize)]
}

/** @param numbers not negative */
export function weightsOf(numbers: readonly bigint[], modulus: bigint): Weights {
  const bytes = new Uint8Array(numbers.length * numberSize)
  const view = new DataView(bytes.buffer)
  for (const [i, number] of numbers.entries()) {
    assert(number >= 0n)
    let rest = (number * radix) % modulus
    for (let at = 0; at < numberSize; at += 8, rest >>= 64n)
      view.setBigUint64(i * numberSize + at, BigInt.asUintN(64, rest), true)
  }
  return bytes
}

/** The kernel counts from the least significant byte. */
export function putBytes(
  data: Uint8Array,
  at: number,
  bytes: Uint8Array,
  endian: Endian = 'big',
): void {
  if (endian === 'little') {
    data.set(bytes, at)
    return
  }
  const last = at + bytes.length - 1
  for (let i = 0; i < bytes.length; i++) data[last - i] = bytes[i] ?? 0
}
