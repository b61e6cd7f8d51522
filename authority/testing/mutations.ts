import { concat } from '@quorate/core/bytes'
import type { Random } from '../agreement/model/random.ts'

/** Foreign bytes that are nearly right, and so get far into a parser. Seeded: a failure repeats. */
export function mutated(random: Random, bytes: Uint8Array): Uint8Array {
  let out = bytes
  for (let left = 1 + random.below(3); left > 0; left--) out = mutatedOnce(random, out)
  return out
}

function mutatedOnce(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1)
  const to = Math.min(bytes.length, at + 1 + random.below(8))
  const kind = random.below(6)
  if (kind === 0) return bytes.slice(0, at)
  if (kind === 1) return concat(bytes.subarray(0, at), bytes.subarray(to))
  if (kind === 2) return concat(bytes.subarray(0, to), bytes.subarray(at))
  if (kind === 3) return concat(bytes.subarray(0, at), randomBytesOf(random, 4), bytes.subarray(at))
  if (at === bytes.length) return concat(bytes, randomBytesOf(random, 1))
  const value = random.pick([0, 1, 0x7f, 0x80, 0xff, (bytes[at] ?? 0) ^ (1 << random.below(8))])
  return bytes.slice().fill(value, at, at + 1)
}

export function randomBytesOf(random: Random, lengthMax: number): Uint8Array {
  return Uint8Array.from({ length: random.below(lengthMax + 1) }, () => random.below(256))
}

/** One run for each seed; what fails says with which. */
export function runs(count: number, run: (seed: number) => void): void {
  for (let seed = 0; seed < count; seed++) {
    try {
      run(seed)
    } catch (cause) {
      throw new Error(`seed ${seed}`, { cause })
    }
  }
}
