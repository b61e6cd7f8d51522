import { createCipheriv, createHash, createSecretKey } from 'node:crypto'
import { transcript } from '@quorate/core/hash'
import { type Shape, tweaked, whitened } from '../kernel/bits.ts'

const blockSize = 16

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
export function tweakedHash(key: Uint8Array, inputs: Uint8Array, shape: Shape): Uint8Array {
  const permute = permutationOf(key)
  const inner = permute(inputs)
  const middle = tweaked(inner, shape)
  const outer = permute(middle)
  const out = whitened(outer, inner, shape)
  for (const secret of [inner, middle, outer]) secret.fill(0)
  return out
}

function permutationOf(key: Uint8Array): (blocks: Uint8Array) => Uint8Array {
  // Bytes in its place cost four times as much: Node finds out by an exception that they are no key.
  const secret = createSecretKey(key.subarray(0, blockSize))
  const cipher = createCipheriv('aes-128-ecb', secret, null)
  cipher.setAutoPadding(false)
  // Each block stands for itself in this mode, so one object serves several calls.
  return (blocks) => cipher.update(blocks)
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
