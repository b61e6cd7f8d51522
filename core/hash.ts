import { createHash, createHmac } from 'node:crypto'
import { toUtf8 } from './bytes.ts'

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
  const named = toUtf8(label)
  const size = parts.reduce((sum, part) => sum + lengthSize + part.length, 0)
  const out = new Uint8Array(2 * lengthSize + named.length + size)
  const view = new DataView(out.buffer)
  let at = 0
  const put = (part: Uint8Array): void => {
    view.setUint32(at, part.length)
    out.set(part, at + lengthSize)
    at += lengthSize + part.length
  }
  put(named)
  view.setUint32(at, parts.length)
  at += lengthSize
  for (const part of parts) put(part)
  return out
}
const lengthSize = 4

/** SHA-256 of `transcript(label, ...parts)`. */
export function hashOf(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return sha256(transcript(label, ...parts))
}
