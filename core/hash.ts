import { createHash, createHmac } from 'node:crypto'
import { concat, toUtf8 } from './bytes.ts'

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

export function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha256', key).update(data).digest())
}

/**
 * The one way in which several values enter one hash: each is preceded by its length, the label by
 * its own and the number of parts, so that no two different lists give the same bytes.
 */
export function transcript(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return concat(prefixed(toUtf8(label)), length(parts.length), ...parts.map(prefixed))
}

/** SHA-256 of `transcript(label, ...parts)`. */
export function hashOf(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return sha256(transcript(label, ...parts))
}

function prefixed(part: Uint8Array): Uint8Array {
  return concat(length(part.length), part)
}

function length(value: number): Uint8Array {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, value)
  return out
}
