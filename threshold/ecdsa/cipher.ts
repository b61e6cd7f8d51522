import { createCipheriv, createHash } from 'node:crypto'
import { transcript } from '@quorate/core/hash'
import { asBytes, toWords } from './words.ts'

const blockSize = 16
const blockWords = 4

type Shape = {
  readonly blocksEach: number
  /** How many inputs, one after the other, share an index. */
  readonly inputsPerIndex: number
}

/**
 * A tweakable, correlation-robust hash from one cipher key: π(π(x) ⊕ tweak) ⊕ π(x), the TMMO
 * construction of Guo, Katz, Wang and Yu 2020 (ePrint 2019/074), where π is AES-128 under a key
 * that is fresh for every pair, direction and session. The tweak is (index, block).
 *
 * AES and not SHA-2: a signature needs some 3,000 outputs per peer, and one call of a native hash
 * costs as much as a thousand blocks in one call of a native cipher. The model is that of the ideal
 * cipher; the bound is in docs/protocols/dkls23.md, section 5.
 *
 * @param key 32 bytes, of which the cipher takes 16
 * @param inputs entries of 16 bytes
 * @returns `blocksEach` blocks for each input, in order
 */
export function tweakedHash(
  key: Uint8Array,
  inputs: Uint32Array,
  { blocksEach, inputsPerIndex }: Shape,
): Uint32Array<ArrayBuffer> {
  const count = inputs.length / blockWords
  const permute = permutationOf(key)
  const inner = permute(inputs)
  const tweaked = new Uint32Array(count * blocksEach * blockWords)
  spread(tweaked, inner, blocksEach)
  for (let input = 0, at = 0; input < count; input++)
    for (let block = 0; block < blocksEach; block++, at += blockWords) {
      tweaked[at] = (tweaked[at] ?? 0) ^ block
      tweaked[at + 1] = (tweaked[at + 1] ?? 0) ^ Math.floor(input / inputsPerIndex)
    }
  const out = permute(tweaked)
  spread(out, inner, blocksEach)
  return out
}

/** XORs each block of `source` into the `blocksEach` blocks of `target` that belong to it. */
function spread(target: Uint32Array, source: Uint32Array, blocksEach: number): void {
  for (let from = 0, at = 0; from < source.length; from += blockWords)
    for (let block = 0; block < blocksEach; block++)
      for (let i = 0; i < blockWords; i++, at++)
        target[at] = (target[at] ?? 0) ^ (source[from + i] ?? 0)
}

function permutationOf(key: Uint8Array): (blocks: Uint32Array) => Uint32Array<ArrayBuffer> {
  const cipher = createCipheriv('aes-128-ecb', key.subarray(0, blockSize), null)
  cipher.setAutoPadding(false)
  // Each block stands for itself in this mode, so one object serves several calls.
  return (blocks) => toWords(cipher.update(asBytes(blocks)))
}

/** SHAKE256 of a transcript: for public challenges and for what needs more than one hash's bytes. */
export function expand(size: number, label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('shake256', { outputLength: size })
  return new Uint8Array(hash.update(transcript(label, ...parts)).digest())
}

/**
 * Random bytes of one session, from 32 fresh ones and from what makes the session unique. A machine
 * restored from a snapshot may repeat the fresh ones; it does not repeat its values in a session
 * with another id.
 */
export function sessionRandom(
  fresh: Uint8Array,
  ...parts: readonly Uint8Array[]
): (size: number) => Uint8Array {
  const key = expand(32, 'quorate/ecdsa/session-random/v1', fresh, ...parts)
  const stream = createCipheriv('aes-256-ctr', key, new Uint8Array(16))
  return (size) => new Uint8Array(stream.update(new Uint8Array(size)))
}
