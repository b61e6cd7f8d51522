import { bytesToBig } from '@quorate/core/bytes'

/** The same numbers for one seed every time, so that a failure can be had again. */
export type Draw = {
  /** A whole number from 0, below this one. */
  below(limit: number): number
  bytes(size: number): Uint8Array
  /** Of any size from nothing to this many bytes, so that zero and leading zeros occur. */
  natural(sizeMax: number): bigint
  one<T>(of: readonly [T, ...T[]]): T
}

/** Mulberry32 by Tommy Ettinger: 32 bits of state, quick, and no use for secrets. */
export function drawFrom(seed: number): Draw {
  let state = Math.imul(seed, 0x9e3779b1)
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (limit: number): number => next() % limit
  const bytes = (size: number): Uint8Array => Uint8Array.from({ length: size }, () => next() & 0xff)
  return {
    below,
    bytes,
    natural: (sizeMax) => bytesToBig(bytes(below(sizeMax + 1))) >> BigInt(below(9)),
    one: (of) => of[below(of.length)] ?? of[0],
  }
}
