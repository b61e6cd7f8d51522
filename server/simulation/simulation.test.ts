import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openSimulator, type Simulator } from './simulate.ts'

/** `npm run simulate` has worlds of a hundred, and thousands of them. */
const size = 20

describe('a simulated world', { concurrency: true }, () => {
  let simulator: Simulator
  before(async () => {
    simulator = await openSimulator(4)
  })
  after(() => simulator.close())

  for (const seed of [1, 2, 3])
    it(`pays everybody once, whatever fails (seed ${seed})`, async () => {
      const { findings, transfers, faults } = await simulator.world(seed, size)
      assert.deepEqual(findings, [])
      assert.ok(transfers >= size)
      assert.ok(faults.counts.size > 0)
    })

  it('is the same again for the same seed, and another one for another', async () => {
    const run = async (seed: number) => (await simulator.world(seed, size / 2)).fingerprint
    const [once, again, other] = [await run(7), await run(7), await run(8)]
    assert.equal(again, once)
    assert.notEqual(other, once)
  })
})
