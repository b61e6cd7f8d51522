import { timingSafeEqual } from 'node:crypto'
import { Failure } from './failure.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()
/**
 * Where short bytes lie while they become a text, or come from one. A short array lies in V8's own heap, and
 * is moved out of it, for good, once native code asks where: that takes longer than all the rest.
 */
const desk = new Uint8Array(256)
/** The same memory. */
const readable = Buffer.from(desk.buffer, desk.byteOffset, desk.length)
/** Of UTF-8, a unit of JavaScript's text is three bytes at most (ECMA-262, section 6.1.4). */
const textUnitsMax = Math.floor(desk.length / 3)

/** For a few parts; a list whose length somebody else chooses goes to `concatAll`. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return concatAll(parts)
}

/** Any number of parts: as arguments, some hundred thousand would overflow the stack. */
export function concatAll(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Same length and same bytes, in time that depends on the length alone. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Order of unsigned bytes, shorter first on a tie: the order of every sorted list in a format. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

export function toHex(bytes: Uint8Array): string {
  return toText(bytes, 'hex')
}

function toText(bytes: Uint8Array, form: 'hex' | 'base64url'): string {
  const { buffer, byteOffset, length } = bytes
  if (length > desk.length) return Buffer.from(buffer, byteOffset, length).toString(form)
  desk.set(bytes)
  return readable.toString(form, 0, length)
}

/**
 * @param text an even number of hex digits, either case, without `0x`
 * @throws Failure `bytes.malformed`
 */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text))
    throw new Failure('bytes.malformed', { expected: 'hex' })
  return new Uint8Array(Buffer.from(text, 'hex'))
}

export function toBase64url(bytes: Uint8Array): string {
  return toText(bytes, 'base64url')
}

/**
 * Strict: no padding, no foreign characters, no stray bits in the last character, so that one
 * value has one text.
 * @throws Failure `bytes.malformed`
 */
export function fromBase64url(text: string): Uint8Array {
  const bytes = new Uint8Array(Buffer.from(text, 'base64url'))
  if (toBase64url(bytes) !== text) throw new Failure('bytes.malformed', { expected: 'base64url' })
  return bytes
}

export function toUtf8(text: string): Uint8Array {
  if (text.length > textUnitsMax) return encoder.encode(text)
  return desk.slice(0, encoder.encodeInto(text, desk).written)
}

/** @throws Failure `bytes.malformed` when the bytes are not well-formed UTF-8 */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    if (bytes.length > desk.length) return utf8.decode(bytes)
    desk.set(bytes)
    return utf8.decode(desk.subarray(0, bytes.length))
  } catch (cause) {
    throw new Failure('bytes.malformed', { expected: 'utf-8' }, { cause })
  }
}

/** Big-endian, exactly `length` bytes. The value must fit. */
export function bigToBytes(value: bigint, length: number): Uint8Array {
  const hex = (value === 0n ? '' : value.toString(16)).padStart(length * 2, '0')
  if (value < 0n || hex.length > length * 2)
    throw new Failure('bytes.malformed', { expected: `a number of ${length} bytes` })
  return fromHex(hex)
}

export function bytesToBig(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`)
}
