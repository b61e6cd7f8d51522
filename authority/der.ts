import { Failure } from '@quorate/core/failure'

/**
 * One element of X.690's distinguished encoding, and nothing that only BER allows: lengths are
 * definite and as short as can be. Reads one level at a time, so that no depth can exhaust it.
 */
export type Der = {
  /** First byte (class, form, number below 31), or `contextTag` of a number above. */
  readonly tag: number
  readonly contents: Uint8Array
  /** Tag, length and contents. */
  readonly whole: Uint8Array
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  utf8: 0x0c,
  printable: 0x13,
  ia5: 0x16,
  sequence: 0x30,
  set: 0x31,
} as const

/** No certificate or key of an authenticator comes near it. */
export const derBytesMax = 16 * 1024

/** The tag of a constructed element `[number]`. */
export function contextTag(number: number): number {
  return number < 31 ? 0xa0 + number : number * 256 + 0xbf
}

/** @throws Failure `bytes.malformed` for anything but exactly one element */
export function readDer(bytes: Uint8Array): Der {
  if (bytes.length > derBytesMax) throw malformed()
  const element = elementAt(bytes, 0)
  if (element.whole.length !== bytes.length) throw malformed()
  return element
}

/**
 * The elements inside one, which must be of this tag.
 * @throws Failure `bytes.malformed`
 */
export function childrenOf(parent: Der | undefined, tag: number = tags.sequence): readonly Der[] {
  const contents = contentsOf(parent, tag)
  const children: Der[] = []
  for (let at = 0; at < contents.length;) {
    const child = elementAt(contents, at)
    children.push(child)
    at += child.whole.length
  }
  return children
}

/** @throws Failure `bytes.malformed` when it is of another tag, or is not there */
export function contentsOf(element: Der | undefined, tag: number): Uint8Array {
  if (element?.tag !== tag) throw malformed()
  return element.contents
}

function elementAt(bytes: Uint8Array, at: number): Der {
  const { tag, next } = tagAt(bytes, at)
  const { length, from } = lengthAt(bytes, next)
  if (length > bytes.length - from) throw malformed()
  const to = from + length
  return { tag, contents: bytes.subarray(from, to), whole: bytes.subarray(at, to) }
}

/** Numbers from 31 on follow in groups of seven bits; two groups hold all that are in use. */
function tagAt(bytes: Uint8Array, at: number): { tag: number; next: number } {
  const first = byteAt(bytes, at)
  if ((first & 0x1f) !== 0x1f) return { tag: first, next: at + 1 }
  const high = byteAt(bytes, at + 1)
  if (high < 0x80) {
    if (high < 31) throw malformed()
    return { tag: high * 256 + first, next: at + 2 }
  }
  const low = byteAt(bytes, at + 2)
  if (high === 0x80 || low >= 0x80) throw malformed()
  return { tag: ((high & 0x7f) * 128 + low) * 256 + first, next: at + 3 }
}

function lengthAt(bytes: Uint8Array, at: number): { length: number; from: number } {
  const first = byteAt(bytes, at)
  if (first < 0x80) return { length: first, from: at + 1 }
  const count = first & 0x7f
  if (count === 0 || count > 2) throw malformed()
  let length = 0
  for (let i = 1; i <= count; i++) length = length * 256 + byteAt(bytes, at + i)
  if (length < (count === 1 ? 0x80 : 0x100)) throw malformed()
  return { length, from: at + 1 + count }
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]
  if (byte === undefined) throw malformed()
  return byte
}

function malformed(): Failure {
  return new Failure('bytes.malformed', { expected: 'DER' })
}
