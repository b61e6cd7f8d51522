import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { describe, it } from 'node:test'
import { bigToBytes, bytesToBig, concatAll } from '@quorate/core/bytes'
import { numberKernel } from './numbers.ts'
import { scalarKernel } from './scalars.ts'
import { moduli, numbersIn, oracleOf } from './testing/oracle.ts'

const rows = 512

for (const [name, modulus] of Object.entries(moduli)) {
  const q = modulus.value
  const kernel = scalarKernel(numberKernel(modulus), modulus)
  const oracle = oracleOf(q)
  const random = (): bigint => bytesToBig(randomBytes(48)) % q
  /** As the kernel takes pads: any 256 bits on secp256k1, residues on the Stark curve. */
  const padMax = modulus.bits === 256 ? 2n ** 256n - 1n : q - 1n
  const pick = (list: readonly bigint[]): bigint => list[randomInt(list.length)] ?? 0n

  describe(`the kernel's rows of ${name}`, () => {
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
