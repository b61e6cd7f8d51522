import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concat, fromHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { randomFrom, type Random } from '../agreement/model/random.ts'
import { attempt } from '../attempt.ts'
import { cborHead, writeCbor } from '../testing/cbor.ts'
import { mutated, randomBytesOf, runs } from '../testing/mutations.ts'
import { cborBytesMax, readCbor, readCborAt, type Cbor } from './cbor.ts'

function refuses(hex: string, expected: RegExp) {
  assert.throws(
    () => readCbor(fromHex(hex)),
    (error) => isFailure(error, 'bytes.malformed') && expected.test(error.context.expected),
    hex,
  )
}

describe('CBOR', () => {
  it('reads the examples of RFC 8949, appendix A, that authenticators may write', () => {
    for (const [hex, value] of [
      ['00', 0],
      ['17', 23],
      ['1818', 24],
      ['1903e8', 1000],
      ['1a000f4240', 1000000],
      ['1b000000e8d4a51000', 1000000000000],
      ['20', -1],
      ['3863', -100],
      ['3903e7', -1000],
      ['f4', false],
      ['f5', true],
      ['f6', null],
      ['4401020304', fromHex('01020304')],
      ['6449455446', 'IETF'],
      ['62c3bc', 'ü'],
      ['80', []],
      ['8301820203820405', [1, [2, 3], [4, 5]]],
      ['a0', new Map()],
      [
        'a201020304',
        new Map([
          [1, 2],
          [3, 4],
        ]),
      ],
      [
        'a26161016162820203',
        new Map<string, Cbor>([
          ['a', 1],
          ['b', [2, 3]],
        ]),
      ],
    ] as const)
      assert.deepEqual(readCbor(fromHex(hex)), value, hex)
  })

  it('refuses what has another form, or is not in its shortest', () => {
    for (const hex of ['1800', '1817', '190000', '1900ff', '1a0000ffff', '1b00000000ffffffff'])
      refuses(hex, /shortest/)
    for (const hex of ['3817', '5801ff', '780161', '980100', 'b8010000']) refuses(hex, /shortest/)
    for (const hex of ['5f42010243030405ff', '7f6161ff', '9f01ff', 'bf6161f5ff', '1c', '1f'])
      refuses(hex, /definite/)
    refuses('c074323031332d30332d32315432303a30343a30305a', /tag/)
    for (const hex of ['f7', 'f0', 'f8ff', 'f93c00', 'fa47c35000', 'fb3ff199999999999a', 'ff'])
      refuses(hex, /float/)
    refuses('1b0020000000000000', /safe integer/)
    refuses('3b001fffffffffffff', /safe integer/)
    refuses('62c328', /utf-8/)
  })

  it('refuses a key twice, and a key that is neither a number nor a text', () => {
    refuses('a201020103', /no key twice/)
    refuses('a2616101616102', /no key twice/)
    for (const hex of ['a14100f5', 'a180f5', 'a1f5f5', 'a1a0f5']) refuses(hex, /number or a text/)
    assert.equal(
      (readCbor(fromHex('a201f5613 1f5'.replace(' ', ''))) as Map<unknown, unknown>).size,
      2,
    )
  })

  it('ends where its bytes end', () => {
    refuses('', /more bytes/)
    refuses('0000', /no further bytes/)
    refuses('4401', /more bytes/)
    refuses('8201', /more bytes/)
    refuses('a101', /more bytes/)
    assert.deepEqual(readCborAt(fromHex('ff0102'), 1), { value: 1, end: 2 })
  })

  it('believes no count that its bytes cannot hold', () => {
    for (const major of [2, 3, 4, 5])
      for (const count of [1000, 2 ** 31, 2 ** 52])
        assert.throws(() => readCbor(concat(cborHead(major, count), new Uint8Array(9))), isFailure)
  })

  it('is neither deep nor long', () => {
    const nested = (levels: number) => concat(new Uint8Array(levels - 1).fill(0x81), fromHex('00'))
    assert.ok(readCbor(nested(8)))
    for (const levels of [9, 10_000])
      assert.throws(
        () => readCbor(nested(levels)),
        (error) => isFailure(error, 'bytes.malformed'),
      )
    const long = (length: number) => concat(cborHead(2, length), new Uint8Array(length))
    assert.ok(readCbor(long(cborBytesMax - 3)))
    assert.throws(() => readCbor(long(cborBytesMax - 2)), isFailure)
  })

  it('has one text for each value, whatever the bytes', () => {
    let accepted = 0
    runs(20_000, (seed) => {
      const random = randomFrom(seed)
      const bytes = mutated(random, writeCbor(anyCbor(random, 4)))
      const value = attempt(() => readCbor(bytes))
      if (value === undefined) return
      accepted++
      assert.deepEqual(writeCbor(value), bytes)
    })
    assert.ok(accepted > 1000, 'hardly anything was accepted')
  })

  it('reads back whatever is written', () => {
    runs(2_000, (seed) => {
      const value = anyCbor(randomFrom(seed), 5)
      assert.deepEqual(readCbor(writeCbor(value)), value)
    })
  })
})

function anyCbor(random: Random, depth: number): Cbor {
  const kind = random.below(depth === 0 ? 5 : 7)
  const number = () => random.pick([0, 23, 24, 255, 256, 65536, 2 ** 32, random.below(2 ** 30)])
  if (kind === 0) return random.pick([null, true, false])
  if (kind === 1) return number()
  if (kind === 2) return -1 - number()
  if (kind === 3) return randomBytesOf(random, 40)
  if (kind === 4) return String(random.below(1000))
  const values = Array.from({ length: random.below(5) }, () => anyCbor(random, depth - 1))
  if (kind === 5) return values
  return new Map(values.map((value, i) => [random.chance(0.5) ? i : String(i), value]))
}
