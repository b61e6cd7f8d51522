import { secp256k1 } from '../group/secp256k1.ts'

/**
 * Scalars as eight 32-bit words each, least significant first, many in one array. For the bulk of the
 * multiplication this is quicker than `bigint`, and its time does not depend on the numbers, but for one
 * in 2^32.
 */
const limbCount = 8
const base = 2 ** 32
/** 2^256 - q: what a carry out of the highest word is worth modulo q. */
const carryWorth = toLimbs(2n ** 256n - secp256k1.order)

export function toLimbs(value: bigint): Uint32Array {
  const limb = (i: number): number => Number((value >> BigInt(32 * i)) & 0xffffffffn)
  return Uint32Array.from({ length: limbCount }, (_, i) => limb(i))
}

/**
 * left - right + plus, entry by entry, modulo the group's order, fully reduced.
 *
 * @param left numbers below 2^256
 * @param right numbers below 2^256
 * @param plus scalars; entry i takes the one at i modulo their number
 */
export function subtractThenAdd(
  left: Uint32Array,
  right: Uint32Array,
  plus: Uint32Array,
): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(left.length)
  for (let at = 0; at < left.length; at += limbCount) {
    const from = at % plus.length
    let carry = 0
    for (let i = 0; i < limbCount; i++)
      carry = place(
        out,
        at + i,
        carry + word(left, at + i) - word(right, at + i) + word(plus, from + i),
      )
    // The first carry is -1, 0 or 1. Folding it in carries again, or leaves a number not below the
    // order, only if the number is next to a multiple of the order: never, for uniform pads.
    carry = fold(out, at, carry)
    if (carry !== 0) fold(out, at, carry)
    if (word(out, at + limbCount - 1) === base - 1) subtractOrderIfAbove(out, at)
  }
  return out
}

/** Adds `times` · (2^256 - q) and returns the carry. */
function fold(out: Uint32Array, at: number, times: number): number {
  let carry = 0
  for (let i = 0; i < limbCount; i++)
    carry = place(out, at + i, carry + word(out, at + i) + times * word(carryWorth, i))
  return carry
}

/** n ≥ q exactly if n + (2^256 - q) carries out, and then what stays is n - q. */
function subtractOrderIfAbove(out: Uint32Array, at: number): void {
  let carry = 0
  for (let i = 0; i < limbCount; i++) {
    const sum = carry + word(out, at + i) + word(carryWorth, i)
    carry = (sum - (sum >>> 0)) / base
  }
  fold(out, at, carry)
}

function place(out: Uint32Array, at: number, sum: number): number {
  const low = sum >>> 0
  out[at] = low
  return (sum - low) / base
}

/** Is every number below the order? Public numbers only. */
export function areReduced(limbs: Uint32Array): boolean {
  for (let at = 0; at < limbs.length; at += limbCount) {
    // One number in 2^32 begins like the order: only those need the exact comparison.
    const exact = word(limbs, at + limbCount - 1) === base - 1
    if (exact && (toNumbers(limbs.slice(at, at + limbCount))[0] ?? 0n) >= secp256k1.order)
      return false
  }
  return true
}

/** By machine words and not by way of hexadecimal text: text of a secret cannot be overwritten. */
export function toNumbers(limbs: Uint32Array): readonly bigint[] {
  const view = new DataView(limbs.buffer, limbs.byteOffset, limbs.byteLength)
  const quarter = (at: number): bigint => view.getBigUint64(at, true)
  return Array.from({ length: limbs.length / limbCount }, (_, i) => {
    const at = i * 32
    const high = (quarter(at + 24) << 64n) | quarter(at + 16)
    return (high << 128n) | (quarter(at + 8) << 64n) | quarter(at)
  })
}

/** The other way, most significant byte first, as a hash takes them. */
export function toBytes(numbers: readonly bigint[]): Uint8Array {
  const out = new Uint8Array(numbers.length * 32)
  const view = new DataView(out.buffer)
  for (const [i, number] of numbers.entries())
    for (let quarter = 0, rest = number; quarter < 4; quarter++, rest >>= 64n)
      view.setBigUint64(i * 32 + 24 - quarter * 8, BigInt.asUintN(64, rest))
  return out
}

function word(limbs: Uint32Array, index: number): number {
  return limbs[index] ?? 0
}
