import { fromUtf8 } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'

/**
 * As much of CBOR (RFC 8949) as authenticators speak, in one form only: definite lengths, shortest
 * integers (section 4.2.1), no tags, no floats, no key twice. The order of a map's keys is free:
 * CTAP2 has one, but software authenticators do not all keep it and nothing is compared by bytes.
 */
export type Cbor = null | boolean | number | string | Uint8Array | readonly Cbor[] | CborMap
export type CborMap = ReadonlyMap<number | string, Cbor>

/** A chain of certificates, or a SafetyNet answer, with room: the largest that is ever read. */
export const cborBytesMax = 32 * 1024
/** CTAP2 allows four levels in a message (section 8); an extension's output may have a few more. */
const depthMax = 8

/** @throws Failure `bytes.malformed` for anything but exactly one value */
export function readCbor(bytes: Uint8Array): Cbor {
  const { value, end } = readCborAt(bytes, 0)
  if (end !== bytes.length) throw malformed('no further bytes')
  return value
}

/**
 * The value that begins at `at`, and where it ends: what an authenticator writes has no lengths.
 * @throws Failure `bytes.malformed`
 */
export function readCborAt(bytes: Uint8Array, at: number): { value: Cbor; end: number } {
  if (bytes.length > cborBytesMax) throw malformed(`at most ${cborBytesMax} bytes`)
  const from = new Reader(bytes, at)
  const value = from.value(0)
  return { value, end: from.at }
}

export function isCborMap(value: Cbor | undefined): value is CborMap {
  return value instanceof Map
}

class Reader {
  at: number
  private readonly bytes: Uint8Array

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes
    this.at = at
  }

  value(depth: number): Cbor {
    if (depth >= depthMax) throw malformed(`at most ${depthMax} levels`)
    const first = this.uint(1)
    const major = first >> 5
    if (major === 7) return simple(first)
    const argument = this.argument(first & 0x1f)
    if (major === 0) return argument
    if (major === 1) return negative(argument)
    if (major === 2) return this.take(argument)
    if (major === 3) return fromUtf8(this.take(argument))
    if (major === 4) return this.array(argument, depth)
    if (major === 5) return this.map(argument, depth)
    throw malformed('no tag')
  }

  /** RFC 8949, section 3: the number that stands in the first byte, or in the bytes after it. */
  private argument(info: number): number {
    if (info < 24) return info
    if (info > 27) throw malformed('a definite length')
    const size = 2 ** (info - 24)
    const value = this.uint(size)
    if (value < (size === 1 ? 24 : 2 ** (4 * size))) throw malformed('the shortest form')
    return value
  }

  /** Every entry takes at least a byte: before room is made, the count is held against the bytes. */
  private array(count: number, depth: number): readonly Cbor[] {
    if (count > this.left()) throw malformed('more bytes')
    return Array.from({ length: count }, () => this.value(depth + 1))
  }

  private map(count: number, depth: number): CborMap {
    const entries = new Map<number | string, Cbor>()
    for (let i = 0; i < count; i++) {
      const key = this.value(depth + 1)
      if (typeof key !== 'number' && typeof key !== 'string') throw malformed('a number or a text')
      if (entries.has(key)) throw malformed('no key twice')
      entries.set(key, this.value(depth + 1))
    }
    return entries
  }

  private uint(size: number): number {
    let value = 0
    for (const byte of this.take(size)) value = value * 256 + byte
    if (!Number.isSafeInteger(value)) throw malformed('a safe integer')
    return value
  }

  private take(size: number): Uint8Array {
    if (size > this.left()) throw malformed('more bytes')
    this.at += size
    return this.bytes.slice(this.at - size, this.at)
  }

  private left(): number {
    return this.bytes.length - this.at
  }
}

function negative(argument: number): number {
  const value = -1 - argument
  if (!Number.isSafeInteger(value)) throw malformed('a safe integer')
  return value
}

function simple(first: number): Cbor {
  if (first === 0xf4 || first === 0xf5) return first === 0xf5
  if (first === 0xf6) return null
  throw malformed('neither a float nor another simple value')
}

function malformed(expected: string): Failure {
  return new Failure('bytes.malformed', { expected })
}
