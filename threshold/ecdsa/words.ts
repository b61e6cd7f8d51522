/**
 * Bit matrices as 32-bit words, least significant bit first. Nothing here branches on its data or
 * uses it as an index.
 */

// Messages and hashes contain these words as they lie in memory.
if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1)
  throw new Error('threshold/ecdsa needs a little-endian machine')

/** The words of `bytes`, in memory of their own. */
export function toWords(bytes: Uint8Array): Uint32Array<ArrayBuffer> {
  return new Uint32Array(new Uint8Array(bytes).buffer)
}

/** The same memory as bytes. */
export function asBytes(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
}

/** `target[targetAt…] ^= source[sourceAt…] & mask`, for `count` words. */
export function xorInto(
  target: Uint32Array,
  targetAt: number,
  source: Uint32Array,
  sourceAt: number,
  count: number,
  mask = -1,
): void {
  for (let i = 0; i < count; i++)
    target[targetAt + i] = word(target, targetAt + i) ^ (word(source, sourceAt + i) & mask)
}

/** The bit at `index`, as 0 or 1. */
export function bitAt(words: Uint32Array, index: number): number {
  return (word(words, index >>> 5) >>> (index & 31)) & 1
}

/** 1 if an odd number of bits is set. */
export function parity(bits: number): number {
  let folded = bits ^ (bits >>> 16)
  folded ^= folded >>> 8
  folded ^= folded >>> 4
  folded ^= folded >>> 2
  folded ^= folded >>> 1
  return folded & 1
}

/**
 * matrix · rows over GF(2): entry k of the result is the sum of the rows that line k of `matrix`
 * selects. Sums of eight rows at a time are looked up (method of the four Russians); the matrix,
 * which is public, is the index.
 *
 * @param matrix lines of `inputRows` bits
 * @param rows at least `inputRows` rows of four words
 */
export function multiplyBits(
  matrix: Uint8Array,
  rows: Uint32Array,
  inputRows: number,
): Uint32Array {
  const lineSize = inputRows / 8
  const lines = matrix.length / lineSize
  const out = new Uint32Array(lines * 4)
  const sums = new Uint32Array(256 * 4)
  for (let group = 0; group < lineSize; group++) {
    fillSums(sums, rows, group * 8 * 4)
    for (let k = 0; k < lines; k++) {
      const from = (matrix[k * lineSize + group] ?? 0) * 4
      for (let i = 0; i < 4; i++) out[k * 4 + i] = word(out, k * 4 + i) ^ word(sums, from + i)
    }
  }
  sums.fill(0)
  return out
}

/** sums[s] = the sum of those of the eight rows at `at` whose bit is set in s. */
function fillSums(sums: Uint32Array, rows: Uint32Array, at: number): void {
  for (let bit = 0; bit < 8; bit++) {
    const half = 4 << bit
    for (let s = 0; s < half; s++)
      sums[half + s] = word(sums, s) ^ word(rows, at + bit * 4 + (s & 3))
  }
}

function word(words: Uint32Array, index: number): number {
  return words[index] ?? 0
}
