import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { fromHex, toHex } from '@quorate/core/bytes'
import { badPoints } from './bad-points.ts'
import { groupOf } from './groups.ts'
import { nobleGroups } from './noble.ts'
import { evaluate, evaluatePoints, interpolate, lagrange, sumOfSecrets } from './polynomial.ts'
import { evaluate as evaluateNumbers, randomNumber } from './testing/oracle.ts'

const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size))

for (const name of ['secp256k1', 'ed25519', 'stark'] as const) {
  const group = groupOf(name)
  const oracle = nobleGroups[name]
  const q = group.order
  const edges = [0n, 1n, 2n, 3n, 63n, 64n, 65n, 2n ** 128n, q - 2n, q - 1n]
  const scalars = [...edges, randomNumber(group, random), randomNumber(group, random)]

  describe(`group ${name}`, () => {
    it('multiplies as noble does, at the edges of the scalars too', () => {
      const points = [1n, q - 1n, randomNumber(group, random)].map((k) => group.multiplyBase(k))
      for (const k of scalars) {
        assert.deepEqual(group.multiplyBase(k), oracle.multiplyBase(k))
        for (const point of points) {
          const expected = oracle.multiply(point, k)
          assert.deepEqual(group.multiply(point, k), expected)
          assert.deepEqual(group.multiplyPublic(point, k), expected)
          assert.deepEqual(oracle.multiplyPublic(point, k), expected)
        }
      }
    })

    it('adds, negates and encodes as noble does, the identity too', () => {
      const points = [0n, 1n, 2n, q - 1n, randomNumber(group, random)].map(group.multiplyBase)
      for (const a of points) {
        assert.deepEqual(group.negate(a), oracle.negate(a))
        assert.deepEqual(group.encode(a), oracle.encode(a))
        assert.deepEqual(group.toWire(a), oracle.toWire(a))
        assert.ok(group.equal(group.add(a, group.negate(a)), group.identity))
        for (const b of points) assert.deepEqual(group.add(a, b), oracle.add(a, b))
      }
    })

    it('multiplies by a secret in bytes as by the number it is', () => {
      const point = group.multiplyBase(randomNumber(group, random))
      for (const k of scalars.concat(0n)) {
        const secret = group.scalarToBytes(k)
        for (const backend of [group, oracle]) {
          assert.deepEqual(backend.multiplyBaseBySecret(secret), group.multiplyBase(k))
          assert.deepEqual(backend.multiplyBySecret(point, secret), group.multiply(point, k))
        }
      }
    })

    it('leaves the identity where it is', () => {
      assert.deepEqual(group.multiply(group.identity, 5n), group.identity)
      assert.deepEqual(group.multiplyPublic(group.identity, q - 1n), group.identity)
      assert.deepEqual(group.multiplyBase(0n), group.identity)
    })

    it('reads back what it wrote', () => {
      for (const k of [1n, q - 1n, randomNumber(group, random)]) {
        const point = group.multiplyBase(k)
        for (const backend of [group, oracle]) {
          assert.deepEqual(backend.decode(backend.encode(point)), point)
          assert.deepEqual(backend.fromWire(backend.toWire(point)), point)
        }
        assert.equal(group.encode(point).length, group.pointSize)
        assert.equal(group.toWire(point).length, group.wireSize)
        assert.equal(group.scalarFromBytes(group.scalarToBytes(k)), k)
      }
    })

    it('refuses a scalar of the order or more, and any other length', () => {
      const endian = (hex: string): Uint8Array => {
        const bytes = fromHex(hex.padStart(64, '0'))
        return name === 'ed25519' ? bytes.reverse() : bytes
      }
      assert.equal(group.scalarFromBytes(endian((q - 1n).toString(16))), q - 1n)
      for (const hex of [q.toString(16), (q + 1n).toString(16), 'ff'.repeat(32)])
        assert.equal(group.scalarFromBytes(endian(hex)), undefined)
      assert.equal(group.scalarFromBytes(new Uint8Array(31)), undefined)
      assert.equal(group.scalarFromBytes(new Uint8Array(33)), undefined)
      assert.throws(() => group.scalarToBytes(q))
      assert.throws(() => group.scalarToBytes(-1n))
    })

    it('reduces a wide number without losing a bit of it', () => {
      const wide = random(64)
      const text = toHex(name === 'ed25519' ? wide.slice().reverse() : wide)
      assert.equal(group.reduce(wide), BigInt(`0x${text}`) % q)
      assert.throws(() => group.reduce(random(40)))
    })

    it('stops on a source of randomness that gives only zeros', () => {
      assert.throws(() => group.randomSecret((size) => new Uint8Array(size)))
    })

    it('refuses every encoding that is not the canonical one of a usable point', () => {
      for (const bytes of badPoints(group)) {
        assert.equal(group.fromWire(bytes), undefined, toHex(bytes))
        assert.equal(oracle.fromWire(bytes), undefined, `noble ${toHex(bytes)}`)
        assert.equal(group.decode(bytes), undefined, toHex(bytes))
      }
    })

    it('evaluates a polynomial alike in secrets, in whole numbers and in the exponent', () => {
      const numbers = [randomNumber(group, random), 7n, q - 3n]
      const polynomial = numbers.map(group.scalarToBytes)
      const points = numbers.map(group.multiplyBase)
      for (const party of [1, 2, 7]) {
        const value = evaluateNumbers(group, numbers, party)
        assert.deepEqual(evaluate(group, polynomial, party), group.scalarToBytes(value))
        assert.deepEqual(evaluatePoints(group, points, party), group.multiplyBase(value))
      }
      assert.deepEqual(evaluate(group, polynomial, 0), polynomial[0])
    })

    it('draws the secret that the same bytes are as a number', () => {
      const wide = random(64)
      const drawn = group.randomSecret(() => wide.slice())
      assert.deepEqual(drawn, group.scalarToBytes(randomNumber(group, () => wide)))
    })

    it('overwrites what it drew a secret from', () => {
      const wide = random(64)
      group.randomSecret(() => wide)
      assert.deepEqual(wide, new Uint8Array(64))
    })

    it('interpolates at zero', () => {
      const polynomial = [11n, 5n, 9n]
      const quorum = [2, 5, 7]
      const values = quorum.map((i) => [i, evaluateNumbers(group, polynomial, i)] as const)
      const sum = values.reduce((total, [i, y]) => total + lagrange(group, quorum, i) * y, 0n)
      assert.equal(group.mod(sum), 11n)
      const shares = new Map(values.map(([i, y]) => [i, group.scalarToBytes(y)]))
      assert.deepEqual(interpolate(group, shares), group.scalarToBytes(11n))
      const all = values.reduce((total, [, y]) => total + y, 0n)
      assert.deepEqual(
        sumOfSecrets(group, [...shares.values()]),
        group.scalarToBytes(group.mod(all)),
      )
      assert.throws(() => lagrange(group, [1, 1], 1))
      assert.throws(() => lagrange(group, [0, 1], 1))
      assert.throws(() => lagrange(group, [1, 2], 3))
    })
  })
}
