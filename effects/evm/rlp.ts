import { bigToBytes, bytesToBig, concat, concatAll } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'

/** Recursive length prefix, Yellow Paper appendix B: byte strings and lists of them. */
export type Rlp = Uint8Array | readonly Rlp[]

/** A transaction nests four deep (its access list); nothing else is read here. */
const depthMax = 8

export function encodeRlp(item: Rlp): Uint8Array {
  if (item instanceof Uint8Array) {
    const [first] = item
    if (item.length === 1 && first !== undefined && first < 0x80) return item
    return concat(prefix(item.length, 0x80), item)
  }
  const body = concatAll(item.map(encodeRlp))
  return concat(prefix(body.length, 0xc0), body)
}

/**
 * Strict: exactly one item, each length in its shortest form, so that what decodes has one encoding.
 * @throws Failure `bytes.malformed`
 */
export function decodeRlp(bytes: Uint8Array): Rlp {
  const [item, end] = readItem(bytes, 0, 0)
  if (end !== bytes.length) throw malformed('no bytes after the item')
  return item
}

/** A number as RLP has it: big-endian, no leading zero, zero as the empty string. */
export function naturalToRlp(value: bigint): Uint8Array {
  return value === 0n
    ? new Uint8Array()
    : bigToBytes(value, Math.ceil(value.toString(16).length / 2))
}

/** @throws Failure `bytes.malformed` */
export function rlpToNatural(item: Rlp | undefined, sizeMax: number): bigint {
  if (!(item instanceof Uint8Array)) throw malformed('a number')
  if (item.length > sizeMax) throw malformed(`a number of at most ${sizeMax} bytes`)
  if (item[0] === 0) throw malformed('a number without leading zeros')
  return bytesToBig(item)
}

function prefix(length: number, base: 0x80 | 0xc0): Uint8Array {
  if (length < 56) return new Uint8Array([base + length])
  const size = naturalToRlp(BigInt(length))
  return concat(new Uint8Array([base + 55 + size.length]), size)
}

function readItem(bytes: Uint8Array, at: number, depth: number): readonly [Rlp, number] {
  if (depth > depthMax) throw malformed(`at most ${depthMax} levels`)
  const first = bytes[at]
  if (first === undefined) throw malformed('an item')
  if (first < 0x80) return [bytes.slice(at, at + 1), at + 1]
  const [start, end] = readExtent(bytes, at, first < 0xc0 ? first - 0x80 : first - 0xc0)
  if (first >= 0xc0) return [readList(bytes, start, end, depth), end]
  const body = bytes.slice(start, end)
  if (body.length === 1 && (body[0] ?? 0) < 0x80) throw malformed('a small byte as itself')
  return [body, end]
}

/** Where the body of an item lies, given its first byte without the base. */
function readExtent(bytes: Uint8Array, at: number, code: number): readonly [number, number] {
  const sizeOfLength = Math.max(0, code - 55)
  const start = at + 1 + sizeOfLength
  if (sizeOfLength > 4 || start > bytes.length) throw malformed('a length that fits')
  const digits = bytes.subarray(at + 1, start)
  const length = sizeOfLength === 0 ? code : Number(bytesToBig(digits))
  if (sizeOfLength > 0 && (length < 56 || digits[0] === 0)) throw malformed('the shortest length')
  if (start + length > bytes.length) throw malformed('a length that fits')
  return [start, start + length]
}

function readList(bytes: Uint8Array, start: number, end: number, depth: number): Rlp {
  const within = bytes.subarray(0, end)
  const items: Rlp[] = []
  let at = start
  while (at < end) {
    const [item, next] = readItem(within, at, depth + 1)
    items.push(item)
    at = next
  }
  return items
}

function malformed(expected: string): Failure {
  return new Failure('bytes.malformed', { expected: `RLP: ${expected}` })
}
