import { concat } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import type { Scalar } from '../kernel/numbers.ts'
import type { Scalars } from './group.ts'

const blockSize = 64
/** L of RFC 9380, section 5: 128 bits above the order of secp256k1. */
const wideSize = 48

type Input = { readonly tag: Uint8Array; readonly message: Uint8Array }

/**
 * One number modulo the order: hash_to_field (RFC 9380, section 5.2) by expand_message_xmd over
 * SHA-256 (5.3.1), whose 48 bytes take two blocks.
 * @param tag at most 255 bytes
 */
export function hashToScalar(scalars: Scalars, input: Input): bigint {
  return scalars.reduce(expandMessage(input))
}

/** The same of a message that is secret, and so is the number. */
export function hashToSecret({ secrets }: Scalars, input: Input): Scalar {
  const wide = expandMessage(input)
  const secret = secrets.reduce(wide)
  wide.fill(0)
  return secret
}

function expandMessage({ tag, message }: Input): Uint8Array {
  const tagged = concat(tag, Uint8Array.of(tag.length))
  const padding = new Uint8Array(blockSize)
  const length = Uint8Array.of(0, wideSize, 0)
  const start = sha256(padding, message, length, tagged)
  const first = sha256(start, Uint8Array.of(1), tagged)
  const mixed = start.map((byte, i) => byte ^ (first[i] ?? 0))
  const second = sha256(mixed, Uint8Array.of(2), tagged)
  const wide = concat(first, second.subarray(0, wideSize - first.length))
  for (const part of [start, first, mixed, second]) part.fill(0)
  return wide
}
