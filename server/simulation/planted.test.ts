import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { FindingKind } from '@quorate/chains/testing/audit'
import type { Weather } from './play.ts'
import { planted, retriesOfServer } from './planted.ts'
import { openSimulator, type Simulator } from './simulate.ts'
import type { Scenario } from './wishes.ts'

type Plant = keyof typeof planted
type Expected = {
  readonly only: readonly Scenario[]
  readonly weather: Weather
  readonly finds: FindingKind
  readonly size?: number
}
const lossy: Weather = { chain: [], lossy: 0.5 }
const expected: Readonly<Record<Plant, Expected>> = {
  'calls it failed when a node gives no answer': {
    ...{ only: ['transfer'], weather: lossy, finds: 'failed, yet paid' },
  },
  'confirms with the first block': {
    ...{ only: ['transfer'], weather: { chain: [] }, finds: 'confirmed too early' },
  },
  'believes a block for ever': {
    ...{ only: ['transfer'], weather: { chain: ['reorganize'] }, finds: 'confirmed, not paid' },
    // A block has to go between two looks, and what was in it must not come again.
    size: 25,
  },
  'never sends again': {
    ...{ only: ['transfer'], weather: { chain: ['drop'] }, finds: 'lost' },
  },
  'takes a retry for another request, as do the signers': {
    ...{ only: ['retried'], weather: { chain: [] }, finds: 'paid twice' },
  },
  'signs anew what it has forgotten, as have the signers': {
    ...{ only: ['transfer'], weather: lossy, finds: 'may be paid twice' },
  },
}

/** Few, and all of one kind: each has the chance to go wrong. */
const sizeUsual = 10
/** A fault does its harm where something else goes wrong at its moment, which is not in every world. */
const seeds = [1, 2, 3, 4, 5, 6, 7, 8]

describe('the auditor of a simulated world', { concurrency: true }, () => {
  let simulator: Simulator
  before(async () => {
    simulator = await openSimulator(4)
  })
  after(() => simulator.close())

  for (const [name, plant] of Object.entries(planted)) {
    const { finds, size = sizeUsual, ...more }: Expected = expected[name as Plant]
    it(`finds a server that ${name}`, async () => {
      for (const seed of seeds) {
        const asked = { ...more, repairs: 1, planted: plant }
        const { findings } = await simulator.world(seed, size, asked)
        if (findings.some(({ kind }) => kind === finds)) return
      }
      assert.fail(`no world ends with: ${finds}`)
    })
  }

  for (const weather of [lossy, { chain: ['reorganize'] }, { chain: ['drop'] }] as const)
    it(`finds nothing in the same weather where nothing is planted (${weather.chain})`, async () => {
      const more = { only: ['transfer', 'retried'], weather, repairs: 1 } as const
      assert.deepEqual((await simulator.world(1, sizeUsual, more)).findings, [])
    })

  it('finds nobody paid twice where the server alone takes a retry for another request', async () => {
    const { only, weather } = expected['takes a retry for another request, as do the signers']
    const more = { only, weather, planted: retriesOfServer }
    assert.deepEqual((await simulator.world(1, sizeUsual, more)).findings, [])
  })
})
