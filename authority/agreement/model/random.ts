export type Random = {
  /** A whole number from 0 to `below - 1`. */
  readonly below: (below: number) => number
  readonly chance: (probability: number) => boolean
  readonly pick: <T>(values: readonly [T, ...T[]]) => T
  readonly pickAny: <T>(values: readonly T[]) => T | undefined
  readonly shuffled: <T>(values: readonly T[]) => T[]
}

/** The same seed gives the same run on every machine. Marsaglia, Xorshift RNGs (2003), 13-17-5. */
export function randomFrom(seed: number): Random {
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x5bd1e995) | 1
  const next = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  for (let i = 0; i < 8; i++) next()
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    below,
    chance: (probability) => next() < probability,
    pick: (values) => values[below(values.length)] ?? values[0],
    pickAny: (values) => values[below(values.length)],
    shuffled: (values) => {
      const out = [...values]
      for (let i = out.length - 1; i > 0; i--) {
        const j = below(i + 1)
        const [a, b] = [out[i], out[j]]
        if (a !== undefined && b !== undefined) [out[i], out[j]] = [b, a]
      }
      return out
    },
  }
}
