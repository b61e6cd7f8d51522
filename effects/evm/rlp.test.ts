import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex, toHex, toUtf8 } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { decodeRlp, encodeRlp, naturalToRlp, type Rlp, rlpToNatural } from './rlp.ts'

/** Examples of the Ethereum wiki's page on RLP, which the Yellow Paper's appendix B defines. */
const examples: readonly (readonly [Rlp, string])[] = [
  [toUtf8('dog'), '83646f67'],
  [[toUtf8('cat'), toUtf8('dog')], 'c88363617483646f67'],
  [new Uint8Array(), '80'],
  [[], 'c0'],
  [new Uint8Array([0]), '00'],
  [new Uint8Array([15]), '0f'],
  [new Uint8Array([4, 0]), '820400'],
  [[[], [[]], [[], [[]]]], 'c7c0c1c0c3c0c1c0'],
  [
    toUtf8('Lorem ipsum dolor sit amet, consectetur adipisicing elit'),
    `b838${toHex(toUtf8('Lorem ipsum dolor sit amet, consectetur adipisicing elit'))}`,
  ],
]

describe('RLP', () => {
  it('writes and reads the published examples', () => {
    for (const [item, hex] of examples) {
      assert.equal(toHex(encodeRlp(item)), hex)
      assert.deepEqual(decodeRlp(fromHex(hex)), item)
    }
  })

  it('reads lists eight deep', () => {
    assert.equal(toHex(encodeRlp(decodeRlp(fromHex(nested(8))))), nested(8))
  })

  it('reads back a list longer than 255 bytes', () => {
    const item = Array.from({ length: 300 }, (_, i) => new Uint8Array([i % 256]))
    assert.deepEqual(decodeRlp(encodeRlp(item)), item)
  })

  const refusals: Readonly<Record<string, string>> = {
    'an empty input': '',
    'bytes after the item': '83646f6700',
    'a small byte with a prefix': '8101',
    'a short string in the long form': `b837${'61'.repeat(55)}`,
    'a short list in the long form': 'f800',
    'a length with a leading zero': `b90038${'61'.repeat(56)}`,
    'a string that ends early': '83646f',
    'a length that ends early': 'b9',
    'a length of eight bytes': `bfffffffffffffffff${'61'.repeat(60)}`,
    'a list whose item reaches past its end': 'c28361',
    'a list nested without end': nested(9),
  }
  for (const [name, hex] of Object.entries(refusals))
    it(`refuses ${name}`, () => {
      assert.throws(
        () => decodeRlp(fromHex(hex)),
        (error) => isFailure(error, 'bytes.malformed'),
      )
    })

  it('refuses numbers with leading zeros, too large, or that are lists', () => {
    assert.equal(rlpToNatural(naturalToRlp(2n ** 64n - 1n), 8), 2n ** 64n - 1n)
    assert.equal(rlpToNatural(naturalToRlp(0n), 8), 0n)
    for (const item of [new Uint8Array([0]), new Uint8Array([0, 1]), naturalToRlp(2n ** 64n), []])
      assert.throws(
        () => rlpToNatural(item, 8),
        (error) => isFailure(error, 'bytes.malformed'),
      )
  })
})

/** Lists in lists, each but the innermost with one item. */
function nested(depth: number): string {
  return toHex(encodeRlp(Array.from({ length: depth }).reduce<Rlp>((inner) => [inner], [])))
}
