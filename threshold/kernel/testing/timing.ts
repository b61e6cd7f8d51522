import { randomBytes, randomInt } from 'node:crypto'
import { bytesToBig } from '@quorate/core/bytes'
import { groupOf } from '../../group/groups.ts'
import type { Modulus } from '../modular.ts'
import { numberKernel } from '../numbers.ts'
import { scalarKernel } from '../scalars.ts'
import { moduli, orders } from './oracle.ts'
import { stepTrials } from './steps.ts'

/**
 * Does a routine's time tell its data? Reparaz, Balasch and Verbauwhede 2017, "Dude, is my code constant
 * time?": two classes of inputs, one fixed and one random, in an order nobody knows, and Welch's
 * t-test over the times. |t| above 4.5 says yes; below it says that this many measurements on this
 * machine show nothing. The same is asked of `bigint`: were it not found out, the test would be blind.
 */
export type Trial = {
  readonly name: string
  /** One class; the other is random bytes of the same sizes. Both are made and copied alike. */
  readonly fixed: readonly Uint8Array[]
  readonly work: (...inputs: readonly Uint8Array[]) => unknown
}

const suspicious = 4.5
const measurementsUsual = 20_000
/** Times above this share of all are interruptions, of either class. */
const kept = 0.9

/** @returns an exit code; the first argument says how many measurements each trial takes */
export async function main(): Promise<number> {
  const count = Number(process.argv[2] ?? measurementsUsual)
  let failed = 0
  const trials = [
    ...Object.entries(orders).flatMap(numberTrials),
    ...Object.entries(moduli).flatMap(rowTrials),
    ...[...pointTrials(), ...stepTrials(), control],
  ]
  for (const trial of trials) {
    const t = welch(measured(trial, count))
    const isFound = Math.abs(t) > suspicious
    if (isFound !== (trial === control)) failed++
    const verdict = isFound ? 'depends on the data' : 'nothing found'
    process.stdout.write(`${trial.name.padEnd(60)} t = ${t.toFixed(1).padStart(7)}   ${verdict}\n`)
  }
  return failed === 0 ? 0 : 1
}

const rows = 512
const zeros = (size: number): Uint8Array => new Uint8Array(size)

function numberTrials([name, modulus]: readonly [string, Modulus]): readonly Trial[] {
  const kernel = numberKernel(modulus)
  const scalar = zeros(32)
  const two = (of: 'add' | 'subtract' | 'multiply'): Trial => ({
    name: `${of}, ${name}: zeros or random`,
    fixed: [scalar, scalar],
    work: (a = scalar, b = scalar) => kernel[of](a, b),
  })
  return [
    ...[two('add'), two('subtract'), two('multiply')],
    {
      name: `combine, ${name}: zeros or random, by public weights`,
      fixed: [scalar, scalar, scalar],
      work: (...secrets) => kernel.combine(secrets, [1n, modulus.value - 3n, 5n ** 100n]),
    },
    {
      name: `reduce, ${name}: zeros or random`,
      fixed: [zeros(64)],
      work: (wide = scalar) => kernel.reduce(wide),
    },
  ]
}

function rowTrials([name, modulus]: readonly [string, Modulus]): readonly Trial[] {
  const kernel = scalarKernel(numberKernel(modulus), modulus)
  const weights = kernel.weightsOf(Array.from({ length: rows }, () => 7n))
  const theta = [3n, 5n] as const
  const [scalar, pads, choice] = [zeros(32), zeros(rows * 96), zeros(rows / 8)]
  return [
    {
      name: `mask, ${name}: zeros or random pads and factors`,
      fixed: [pads, pads, scalar, scalar, scalar],
      work: (zero = pads, one = pads, ...factors) => kernel.mask(zero, one, factors),
    },
    {
      name: `close, ${name}: nothing chosen of zeros or half of all`,
      fixed: [pads, pads, choice, scalar],
      work: (own = pads, masked = pads, bits = choice, due = scalar) =>
        kernel.close({ pads: own, weights, theta, chosen: { masked, choice: bits, due } }),
    },
    {
      name: `select, ${name}: nothing chosen or half`,
      fixed: [choice],
      work: (bits = choice) => kernel.select(weights, bits),
    },
  ]
}

function pointTrials(): readonly Trial[] {
  const { multiplyBaseBySecret, multiplyBySecret } = groupOf('stark')
  const point = multiplyBaseBySecret(zeros(32).with(31, 7))
  const one = zeros(32).with(31, 1)
  return [
    {
      name: 'multiplyBase, points of stark: one or random',
      fixed: [one],
      work: (secret = one) => multiplyBaseBySecret(secret),
    },
    {
      name: 'multiply, points of stark: one or random',
      fixed: [one],
      work: (secret = one) => multiplyBySecret(point, secret),
    },
  ]
}

const control: Trial = {
  name: 'control, multiplication of bigints: zeros or random',
  fixed: [zeros(32)],
  work(bytes = zeros(32)) {
    const number = bytesToBig(bytes)
    let sum = 1n
    for (let i = 0; i < 20; i++) sum = (sum * number + number) % moduli.secp256k1.value
    return sum
  },
}

type Times = { readonly fixed: readonly number[]; readonly random: readonly number[] }

function measured({ fixed, work }: Trial, count: number): Times {
  const times = { fixed: [] as number[], random: [] as number[] }
  const inputs = fixed.map((bytes) => zeros(bytes.length))
  // The first tenth compiles the code.
  for (let i = -count / 10; i < count; i++) {
    const isFixed = randomInt(2) === 0
    const random = fixed.map((bytes) => new Uint8Array(randomBytes(bytes.length)))
    // Both are read, and no branch is taken: what the processor has at hand must not tell the class.
    const mask = isFixed ? 0xff : 0
    for (const [at, input] of inputs.entries()) blend(input, [fixed[at], random[at]], mask)
    const before = process.hrtime.bigint()
    work(...inputs)
    const spent = Number(process.hrtime.bigint() - before)
    if (i >= 0) times[isFixed ? 'fixed' : 'random'].push(spent)
  }
  const all = [...times.fixed, ...times.random].toSorted((a, b) => a - b)
  const limit = all[Math.floor(all.length * kept)] ?? Infinity
  const below = (list: readonly number[]) => list.filter((time) => time <= limit)
  return { fixed: below(times.fixed), random: below(times.random) }
}

type Pair = readonly [fixed: Uint8Array | undefined, random: Uint8Array | undefined]

function blend(out: Uint8Array, [fixed = out, random = out]: Pair, mask: number): void {
  for (let i = 0; i < out.length; i++)
    out[i] = ((fixed[i] ?? 0) & mask) | ((random[i] ?? 0) & ~mask)
}

function welch({ fixed, random }: Times): number {
  const [a, b] = [momentsOf(fixed), momentsOf(random)]
  return (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count)
}

function momentsOf(list: readonly number[]) {
  const count = list.length
  const mean = list.reduce((sum, value) => sum + value, 0) / count
  const variance = list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1)
  return { count, mean, variance }
}

if (import.meta.main) process.exitCode = await main()
