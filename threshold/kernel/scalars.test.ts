import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { describe, it } from 'node:test'
import { bigToBytes, bytesToBig, concatAll } from '@quorate/core/bytes'
import { scalarKernel } from './scalars.ts'
import { moduli, numbersIn, oracleOf } from './testing/oracle.ts'

const rows = 512
const pairs = 300

for (const [name, modulus] of Object.entries(moduli)) {
  const q = modulus.value
  const kernel = scalarKernel(modulus)
  const oracle = oracleOf(q)
  const random = (): bigint => bytesToBig(randomBytes(48)) % q
  /** Numbers with runs of set and unset bits, which carry far. */
  const ragged = Array.from({ length: 16 }, (_, i) => (2n ** BigInt(16 * i + 3) - 1n) % q)
  const edges = [0n, 1n, 2n, q - 2n, q - 1n, (q - 1n) / 2n, (q + 1n) / 2n, 2n ** 128n, ...ragged]
  /** As the kernel takes pads: any 256 bits on secp256k1, residues on the Stark curve. */
  const padMax = modulus.bits === 256 ? 2n ** 256n - 1n : q - 1n
  const pick = (list: readonly bigint[]): bigint => list[randomInt(list.length)] ?? 0n

  describe(`the kernel's scalars of ${name}`, () => {
    it('add, subtract and multiply as whole numbers do, at every two edges and at random', () => {
      const some = Array.from({ length: pairs }, () => [random(), random()] as const)
      const all = edges.flatMap((a) => edges.map((b) => [a, b] as const))
      for (const [a, b] of [...all, ...some]) {
        const [left, right] = [scalar(a), scalar(b)]
        assert.equal(bytesToBig(kernel.add(left, right)), oracle.mod(a + b))
        assert.equal(bytesToBig(kernel.subtract(left, right)), oracle.mod(a - b))
        assert.equal(bytesToBig(kernel.multiply(left, right)), oracle.mod(a * b))
      }
    })

    it('are reduced from 48 bytes and from 64, of whatever value', () => {
      for (const size of [48, 64]) {
        const top = 2n ** BigInt(8 * size)
        const wides = [0n, 1n, q - 1n, q, q + 1n, 31n * q, 32n * q, q * q, top - 1n, top - q]
        for (const wide of wides.filter((each) => each < top))
          assert.equal(bytesToBig(kernel.reduce(bigToBytes(wide, size))), wide % q)
        for (let i = 0; i < pairs; i++) {
          const wide = new Uint8Array(randomBytes(size))
          assert.equal(bytesToBig(kernel.reduce(wide)), bytesToBig(wide) % q)
        }
      }
      assert.throws(() => kernel.reduce(new Uint8Array(47)))
      assert.throws(() => kernel.reduce(new Uint8Array(65)))
    })

    it('are told from zero, from numbers of the order or more, and from other lengths', () => {
      for (const good of [1n, q - 1n, random()]) assert.ok(kernel.isScalar(scalar(good)))
      for (const bad of [0n, q, q + 1n, 2n ** 256n - 1n])
        assert.ok(!kernel.isScalar(bigToBytes(bad, 32)))
      assert.ok(!kernel.isScalar(new Uint8Array(31).fill(1)))
    })

    it('become of long pads what is left of them', () => {
      const pads = concatAll([
        new Uint8Array(48),
        new Uint8Array(48).fill(255),
        new Uint8Array(randomBytes(48 * 100)),
      ])
      const wide = Array.from({ length: 102 }, (_, i) =>
        bytesToBig(pads.slice(i * 48, i * 48 + 48).reverse()),
      )
      assert.deepEqual(
        numbersIn(kernel.narrow(pads)),
        wide.map((each) => each % q),
      )
    })

    it('mask the factors of every row', () => {
      for (const pool of [[0n, 1n, q - 1n, padMax - 1n, padMax], undefined]) {
        const draw = () => (pool === undefined ? randomPad() : pick(pool))
        const [zero, one] = [0, 0].map(() => Array.from({ length: rows * 3 }, draw))
        const factors = [q - 1n, 0n, random()]
        const masked = kernel.mask(little(zero), little(one), factors.map(scalar))
        assert.deepEqual(numbersIn(masked), oracle.mask(zero ?? [], one ?? [], factors))
      }
    })

    it('close a multiplication, for who has chosen and for who has nothing to choose', () => {
      for (const extreme of [false, true]) {
        const [pads, masked] = [padMax, q - 1n].map((top) =>
          Array.from({ length: rows * 3 }, () =>
            extreme ? pick([0n, top]) : random() % (top + 1n),
          ),
        )
        assert.ok(pads && masked)
        const gadget = Array.from({ length: rows }, () => (extreme ? q - 1n : random()))
        const theta = extreme ? ([q - 1n, q - 1n] as const) : ([random(), random()] as const)
        const due = extreme ? q - 1n : random()
        const weights = kernel.weightsOf(gadget)
        const choices = [new Uint8Array(64), new Uint8Array(64).fill(255), randomBytes(64)]
        for (const choice of choices) {
          const chosen = { masked: little(masked), choice, due: scalar(due) }
          const closed = kernel.close({ pads: little(pads), weights, theta, chosen })
          const expected = oracle.close({ pads, masked, choice, gadget, theta, due })
          assert.deepEqual(numbersIn(closed.mu.slice().reverse()).toReversed(), expected.mu)
          assert.deepEqual(closed.sums.map(bytesToBig), expected.sums)
          assert.equal(bytesToBig(kernel.select(weights, choice)), oracle.select(gadget, choice))
        }
        const { mu, sums } = kernel.close({ pads: little(pads), weights, theta })
        const nothing = { masked: [], choice: new Uint8Array(64), due: 0n }
        const expected = oracle.close({ pads, gadget, theta, ...nothing })
        assert.deepEqual(numbersIn(mu.slice().reverse()).toReversed(), expected.mu)
        assert.deepEqual(sums.map(bytesToBig), expected.sums)
      }
    })

    it('come as they should, or not at all', () => {
      const [pads, weights] = [new Uint8Array(rows * 96), new Uint8Array(rows * 32)]
      const theta = [1n, 1n] as const
      assert.throws(() => kernel.add(new Uint8Array(31), scalar(1n)))
      assert.throws(() =>
        kernel.mask(pads, pads.subarray(96), [scalar(1n), scalar(1n), scalar(1n)]),
      )
      assert.throws(() => kernel.mask(pads, pads, [scalar(1n)]))
      assert.throws(() => kernel.close({ pads: new Uint8Array(513 * 96), weights, theta }))
      assert.throws(() => kernel.close({ pads, weights: weights.subarray(32), theta }))
      assert.throws(() => kernel.select(weights, new Uint8Array(63)))
    })
  })

  function randomPad(): bigint {
    return bytesToBig(randomBytes(32)) % (padMax + 1n)
  }
}

function scalar(value: bigint): Uint8Array {
  return bigToBytes(value, 32)
}

function little(numbers: readonly bigint[] = []): Uint8Array {
  return concatAll(numbers.map((number) => bigToBytes(number, 32).reverse()))
}
