import { hash } from 'node:crypto'
import { concat, toUtf8 } from './bytes.ts'

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return digest('sha256', parts)
}

export function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  return digest('sha512', parts)
}

/** All at once: an object to feed and to ask costs as much again as the hash of what is short. */
function digest(name: 'sha256' | 'sha512', parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts
  const whole = only !== undefined && parts.length === 1 ? only : concat(...parts)
  return new Uint8Array(hash(name, whole, 'buffer'))
}

/** RFC 2104, of two hashes: OpenSSL's own takes four times as long to be set up. */
export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  const short = key.length > hmacBlock ? sha256(key) : key
  const padded = (byte: number): Uint8Array => {
    const block = new Uint8Array(hmacBlock).fill(byte)
    for (const [i, one] of short.entries()) block[i] = byte ^ one
    return block
  }
  return sha256(padded(0x5c), sha256(padded(0x36), data))
}
/** B of SHA-256, in bytes. */
const hmacBlock = 64

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
