import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from './bytes.ts'
import {
  bool,
  bytes,
  decode,
  encode,
  fixed,
  layoutOf,
  list,
  natural,
  oneOf,
  option,
  struct,
  tag,
  text,
  u16,
  u64,
  u8,
  union,
} from './codec.ts'
import { isFailure } from './failure.ts'

const sample = struct({
  format: tag('t/1'),
  small: u8,
  name: text(8),
  amount: natural,
  note: option(bytes(4)),
  kinds: list(oneOf({ a: 1, b: 2 }), 2),
  body: union({ left: [1, struct({ x: u16 })], right: [2, struct({ y: bool })] }),
})
const value = {
  small: 7,
  name: 'hé',
  amount: 256n,
  note: undefined,
  kinds: ['b', 'a'],
  body: { kind: 'left', x: 513 },
} as const

describe('canonical binary', () => {
  it('writes members in order, with lengths before what varies', () => {
    assert.equal(
      toHex(encode(sample, value)),
      '00000003742f31' + '07' + '00000003' + '68c3a9' + '020100' + '00' + '000000020201' + '010201',
    )
  })

  it('reads back what it wrote', () => {
    assert.deepEqual(decode(sample, encode(sample, value)), value)
  })

  const malformed = (run: () => unknown) =>
    assert.throws(run, (error) => isFailure(error, 'bytes.malformed'))

  it('refuses what is cut short, goes on, or bears another tag', () => {
    const good = encode(sample, value)
    for (let size = 0; size < good.length; size++)
      malformed(() => decode(sample, good.slice(0, size)))
    malformed(() => decode(sample, new Uint8Array([...good, 0])))
    malformed(() => decode(sample, good.with(5, 0x32)))
  })

  it('has one encoding for a number, a flag and a text', () => {
    malformed(() => decode(natural, new Uint8Array([1, 0])))
    malformed(() => decode(bool, new Uint8Array([2])))
    malformed(() => decode(text(4), new Uint8Array([0, 0, 0, 1, 0xff])))
    malformed(() => encode(text(4), '\ud800'))
  })

  it('writes zero as no bytes, and every number in its shortest form', () => {
    for (const number of [0n, 1n, 255n, 256n, 2n ** 256n - 1n])
      assert.equal(decode(natural, encode(natural, number)), number)
    assert.equal(toHex(encode(natural, 0n)), '00')
  })

  it('refuses what is over a limit before it allocates', () => {
    malformed(() => decode(bytes(4), new Uint8Array([255, 255, 255, 255])))
    malformed(() => decode(list(u8, 2), new Uint8Array([0, 0, 0, 3, 1, 1, 1])))
    malformed(() => encode(natural, 2n ** 256n))
    malformed(() => decode(u64, new Uint8Array(8).fill(255)))
    malformed(() => encode(fixed(2), new Uint8Array(3)))
    malformed(() => encode(u8, 256))
  })

  it('says where every part of a value lies, without a gap', () => {
    const written = encode(sample, value)
    const spans = layoutOf(sample, written)
    const paths = [
      ...['format', 'format', 'small', 'name', 'name', 'amount', 'amount', 'note'],
      ...['kinds', 'kinds.0', 'kinds.1', 'body', 'body.left.x'],
    ]
    assert.deepEqual(
      spans.map(({ path }) => path),
      paths,
    )
    assert.equal(spans[0]?.start, 0)
    for (const [i, { end }] of spans.entries())
      assert.equal(end, spans[i + 1]?.start ?? written.length)
    assert.equal(toHex(written.slice(spans.at(-1)?.start)), '0201')
    malformed(() => layoutOf(sample, written.slice(1)))
  })

  it('refuses a kind that is not in the table', () => {
    malformed(() => decode(oneOf({ a: 1 }), new Uint8Array([3])))
    malformed(() => decode(union({ a: [1, struct({})] }), new Uint8Array([0])))
  })
})
