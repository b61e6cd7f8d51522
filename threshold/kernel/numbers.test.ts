import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { describe, it } from 'node:test'
import { bigToBytes, bytesToBig } from '@quorate/core/bytes'
import { modulusOf } from './modular.ts'
import { numberKernel } from './numbers.ts'
import { termsMax } from './scalar-routines.ts'
import { oracleOf, orders } from './testing/oracle.ts'

const pairs = 300

for (const [name, modulus] of Object.entries(orders))
  for (const endian of ['big', 'little'] as const) {
    const q = modulus.value
    const kernel = numberKernel(modulus, endian)
    const oracle = oracleOf(q)
    const random = (): bigint => bytesToBig(randomBytes(48)) % q
    /** Numbers with runs of set and unset bits, which carry far. */
    const ragged = Array.from({ length: 16 }, (_, i) => (2n ** BigInt(16 * i + 3) - 1n) % q)
    const edges = [0n, 1n, 2n, q - 2n, q - 1n, (q - 1n) / 2n, (q + 1n) / 2n, 2n ** 128n, ...ragged]
    const bytesOf = (value: bigint, size = 32): Uint8Array => {
      const bytes = bigToBytes(value, size)
      return endian === 'big' ? bytes : bytes.reverse()
    }
    const numberOf = (bytes: Uint8Array): bigint =>
      bytesToBig(endian === 'big' ? bytes : bytes.slice().reverse())

    describe(`the kernel's numbers of ${name}, ${endian}-endian`, () => {
      it('add, subtract and multiply as whole numbers do, at every two edges and at random', () => {
        const some = Array.from({ length: pairs }, () => [random(), random()] as const)
        const all = edges.flatMap((a) => edges.map((b) => [a, b] as const))
        for (const [a, b] of [...all, ...some]) {
          const [left, right] = [bytesOf(a), bytesOf(b)]
          assert.equal(numberOf(kernel.add(left, right)), oracle.mod(a + b))
          assert.equal(numberOf(kernel.subtract(left, right)), oracle.mod(a - b))
          assert.equal(numberOf(kernel.multiply(left, right)), oracle.mod(a * b))
        }
      })

      it('combine by weights as whole numbers do, up to the most terms of the largest', () => {
        const pick = (): bigint => edges[randomInt(edges.length)] ?? 0n
        for (let count = 1; count <= termsMax; count++) {
          const largest = Array.from({ length: count }, () => q - 1n)
          const lists = Array.from({ length: 60 }, (_, i) =>
            [0, 1].map(() => Array.from({ length: count }, i % 2 === 0 ? pick : random)),
          )
          for (const [terms = [], weights = []] of [[largest, largest], ...lists]) {
            const expected = terms.reduce((sum, term, i) => sum + term * (weights[i] ?? 0n), 0n)
            const secrets = terms.map((term) => bytesOf(term))
            assert.equal(numberOf(kernel.combine(secrets, weights)), oracle.mod(expected))
          }
        }
      })

      it('combine bytes of any value and weights beyond the order, by their residues', () => {
        const top = 2n ** 256n - 1n
        const count = termsMax
        const secrets = Array.from({ length: count }, () => bytesOf(top))
        const weights = Array.from({ length: count }, () => q - 1n)
        const expected = oracle.mod(BigInt(count) * top * (q - 1n))
        assert.equal(numberOf(kernel.combine(secrets, weights)), expected)
        assert.equal(numberOf(kernel.combine([bytesOf(7n)], [q + 2n])), 14n)
      })

      it('are reduced from 48 bytes and from 64, of whatever value', () => {
        for (const size of [48, 64]) {
          const top = 2n ** BigInt(8 * size)
          const wides = [0n, 1n, q - 1n, q, q + 1n, 31n * q, 32n * q, q * q, top - 1n, top - q]
          for (const wide of wides.filter((each) => each < top))
            assert.equal(numberOf(kernel.reduce(bytesOf(wide, size))), wide % q)
          for (let i = 0; i < pairs; i++) {
            const wide = new Uint8Array(randomBytes(size))
            assert.equal(numberOf(kernel.reduce(wide)), numberOf(wide) % q)
          }
        }
      })

      it('are told from zero, from numbers of the order or more, and from other lengths', () => {
        for (const good of [1n, q - 1n, random()]) {
          assert.ok(kernel.isScalar(bytesOf(good)))
          assert.ok(kernel.isResidue(bytesOf(good)))
        }
        assert.ok(!kernel.isScalar(bytesOf(0n)) && kernel.isResidue(bytesOf(0n)))
        for (const bad of [q, q + 1n, 2n * q, 15n * q, 2n ** 256n - 1n].filter(
          (n) => n < 2n ** 256n,
        )) {
          assert.ok(!kernel.isScalar(bytesOf(bad)))
          assert.ok(!kernel.isResidue(bytesOf(bad)))
        }
        for (const size of [0, 31, 33]) assert.ok(!kernel.isResidue(new Uint8Array(size).fill(1)))
      })

      it('come as they should, or not at all', () => {
        const one = bytesOf(1n)
        assert.throws(() => kernel.add(one.subarray(1), one))
        assert.throws(() => kernel.reduce(new Uint8Array(47)))
        assert.throws(() => kernel.reduce(new Uint8Array(65)))
        assert.throws(() => kernel.combine([], []))
        assert.throws(() => kernel.combine([one], [1n, 1n]))
        assert.throws(() => kernel.combine([one], [-1n]))
        assert.throws(() => kernel.combine([new Uint8Array(33)], [1n]))
        const many = Array.from({ length: termsMax + 1 }, () => one)
        assert.throws(() =>
          kernel.combine(
            many,
            many.map(() => 1n),
          ),
        )
      })
    })
  }

describe('the moduli of the kernel', () => {
  it('are told the power of two they lie next to', () => {
    for (const { value, bits } of Object.values(orders))
      assert.deepEqual(modulusOf(value), { value, bits })
    assert.throws(() => modulusOf(3n * 2n ** 254n))
  })
})
