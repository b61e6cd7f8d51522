import { concat, concatAll, toUtf8 } from '@quorate/core/bytes'
import type { Cbor } from '../webauthn/cbor.ts'

/** CBOR as an authenticator writes it: shortest forms, members in the order in which they are given. */
export function writeCbor(value: Cbor): Uint8Array {
  if (value === null) return new Uint8Array([0xf6])
  if (typeof value === 'boolean') return new Uint8Array([value ? 0xf5 : 0xf4])
  if (typeof value === 'number') return value < 0 ? cborHead(1, -1 - value) : cborHead(0, value)
  if (typeof value === 'string') {
    const text = toUtf8(value)
    return concat(cborHead(3, text.length), text)
  }
  if (value instanceof Uint8Array) return concat(cborHead(2, value.length), value)
  if (value instanceof Map) {
    const entries = [...value].flatMap(([name, member]) => [writeCbor(name), writeCbor(member)])
    return concatAll([cborHead(5, value.size), ...entries])
  }
  const values = [...(value as readonly Cbor[])].map((entry) => writeCbor(entry))
  return concatAll([cborHead(4, values.length), ...values])
}

/** The first byte and its argument, RFC 8949 section 3. */
export function cborHead(major: number, argument: number): Uint8Array {
  const first = major * 32
  if (argument < 24) return new Uint8Array([first + argument])
  const size = argument < 2 ** 8 ? 1 : argument < 2 ** 16 ? 2 : argument < 2 ** 32 ? 4 : 8
  const out = new Uint8Array(1 + size)
  out[0] = first + 24 + Math.log2(size)
  let rest = argument
  for (let i = size; i > 0; i--) {
    out[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return out
}
