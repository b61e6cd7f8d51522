import { hash } from 'node:crypto'
import { concatAll, toUtf8 } from './bytes.ts'

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return digest('sha256', parts)
}

export function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  return digest('sha512', parts)
}

/**
 * Where what is hashed lies together for a moment; what is longer has an array of its own, which for a short
 * one would cost as much as its hash.
 */
const desk = new Uint8Array(2_048)

/** All at once: an object to feed and to ask costs as much again as the hash of what is short. */
function digest(name: 'sha256' | 'sha512', parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return digestOf(name, only)
  if (sizeOf(parts) > desk.length) return digestOf(name, concatAll(parts))
  let size = 0
  for (const part of parts) {
    desk.set(part, size)
    size += part.length
  }
  return digestOnDesk(name, size)
}

/** Nothing stays on the desk: it may have been a secret. */
function digestOnDesk(name: 'sha256' | 'sha512', size: number): Uint8Array {
  const out = digestOf(name, desk.subarray(0, size))
  desk.fill(0, 0, size)
  return out
}

function digestOf(name: 'sha256' | 'sha512', whole: Uint8Array): Uint8Array {
  // As text: a Buffer of its own takes twice as long to be made as the hash.
  const octets = hash(name, whole, 'binary')
  const out = new Uint8Array(octets.length)
  for (let i = 0; i < out.length; i++) out[i] = octets.charCodeAt(i)
  return out
}

/** RFC 2104, of two hashes: OpenSSL's own takes four times as long to be set up. */
export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  const short = key.length > hmacBlock ? sha256(key) : key
  return sha256(padded(short, 0x5c), sha256(padded(short, 0x36), data))
}
/** B of SHA-256, in bytes. */
const hmacBlock = 64

function padded(key: Uint8Array, pad: number): Uint8Array {
  const block = new Uint8Array(hmacBlock).fill(pad)
  for (let i = 0; i < key.length; i++) block[i] = pad ^ (key[i] ?? 0)
  return block
}

/**
 * The one way in which several values enter one hash: each is preceded by its length, the label by
 * its own and the number of parts, so that no two different lists give the same bytes.
 */
export function transcript(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const named = toUtf8(label)
  const out = new Uint8Array(transcriptSize(named, parts))
  writeTranscript(out, named, parts)
  return out
}

/** SHA-256 of `transcript(label, ...parts)`. */
export function hashOf(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const named = toUtf8(label)
  const size = transcriptSize(named, parts)
  if (size > desk.length) return sha256(transcript(label, ...parts))
  writeTranscript(desk, named, parts)
  return digestOnDesk('sha256', size)
}

const lengthSize = 4

function transcriptSize(label: Uint8Array, parts: readonly Uint8Array[]): number {
  return lengthSize * (2 + parts.length) + label.length + sizeOf(parts)
}

function writeTranscript(out: Uint8Array, label: Uint8Array, parts: readonly Uint8Array[]): void {
  let at = writeNumber(out, label.length, 0)
  out.set(label, at)
  at = writeNumber(out, parts.length, at + label.length)
  for (const part of parts) {
    at = writeNumber(out, part.length, at)
    out.set(part, at)
    at += part.length
  }
}

/** Big-endian, four bytes. @returns where the next byte goes */
function writeNumber(out: Uint8Array, value: number, at: number): number {
  for (let i = 0; i < lengthSize; i++) out[at + i] = value >>> (8 * (lengthSize - 1 - i))
  return at + lengthSize
}

function sizeOf(parts: readonly Uint8Array[]): number {
  let size = 0
  for (const part of parts) size += part.length
  return size
}
