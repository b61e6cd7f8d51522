import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { toHex } from '@quorate/core/bytes'
import { secp256k1 } from '../group/secp256k1.ts'
import { areReduced, subtractThenAdd, toBytes, toLimbs, toNumbers } from './limbs.ts'
import { toWords } from './words.ts'

const { order, mod } = secp256k1
const top = 2n ** 256n - 1n

describe('scalars as words', () => {
  const edges = [
    0n,
    1n,
    order - 1n,
    order,
    order + 1n,
    2n ** 256n - order,
    2n ** 128n,
    top - 1n,
    top,
  ]

  it('subtracts, adds and reduces like whole numbers, at every edge', () => {
    for (const left of edges)
      for (const right of edges)
        for (const plus of edges.filter((edge) => edge < order)) {
          const result = subtractThenAdd(toLimbs(left), toLimbs(right), toLimbs(plus))
          assert.deepEqual(toNumbers(result), [mod(left - right + plus)])
        }
  })

  it('does so for many numbers at once, with the last operand repeating', () => {
    const [left, right, plus] = [1536, 1536, 3].map((count) => toWords(randomBytes(count * 32)))
    assert.ok(left && right && plus)
    const [lefts, rights, pluses] = [left, right, plus].map(toNumbers)
    const expected = lefts?.map((n, i) => mod(n - (rights?.[i] ?? 0n) + (pluses?.[i % 3] ?? 0n)))
    assert.deepEqual(toNumbers(subtractThenAdd(left, right, plus)), expected)
  })

  it('come and go as bytes of the other order', () => {
    const hex = (number: bigint) => number.toString(16).padStart(64, '0')
    assert.equal(toHex(toBytes(edges)), edges.map(hex).join(''))
    for (const edge of edges)
      assert.deepEqual(toNumbers(toWords(toBytes([edge]).reverse())), [edge])
  })

  it('are nowhere in this folder made from text, or text of them', () => {
    const folder = import.meta.dirname
    const sources = readdirSync(folder).filter((name) => /(?<!bench|\.test)\.ts$/.test(name))
    assert.ok(sources.includes('limbs.ts'))
    for (const name of sources)
      assert.doesNotMatch(
        readFileSync(join(folder, name), 'utf8'),
        /toString\(|'hex'|toHex|BigInt\(`/,
      )
  })

  it('tells scalars from numbers at and above the order', () => {
    for (const edge of edges)
      assert.equal(areReduced(Uint32Array.of(...toLimbs(3n), ...toLimbs(edge))), edge < order)
  })
})
