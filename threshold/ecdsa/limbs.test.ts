import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { secp256k1 } from '../group/secp256k1.ts'
import { areReduced, subtractThenAdd, toLimbs, toNumbers } from './limbs.ts'
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

  it('tells scalars from numbers at and above the order', () => {
    for (const edge of edges)
      assert.equal(areReduced(Uint32Array.of(...toLimbs(3n), ...toLimbs(edge))), edge < order)
  })
})
