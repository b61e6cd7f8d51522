import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { takeCensus } from './census.ts'
import { pointOf } from './faults.ts'
import type { Played, Weather } from './play.ts'
import { planted, retriesOfServer, unaskingServer } from './planted.ts'
import { openPlace, openSimulator, type Simulator, worldOf } from './simulate.ts'
import type { Limits } from './sponsors.ts'
import type { Scenario } from './wishes.ts'
import { type PolicyAction, World } from './world.ts'

type Plant = keyof typeof planted
type Expected = {
  readonly only: readonly Scenario[]
  readonly weather: Weather
  readonly finds: Played['findings'][number]['kind']
  readonly policies?: readonly PolicyAction[]
  readonly sponsors?: readonly Limits[]
  /** Where what its users have to do about it is what is found. */
  readonly repairs?: number
}
/** For all wallets that a world may have. */
const asking: readonly PolicyAction[] = Array.from({ length: 6 }, () => 'asks')
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
  },
  'takes a block for a payment': {
    ...{ only: ['short of tokens'], weather: { chain: [] }, finds: 'confirmed, not paid' },
  },
  'gives up on a fee sponsor that takes its time': {
    ...{ only: ['transfer'], weather: { chain: [] }, sponsors: [{}], finds: 'failed, yet paid' },
  },
  'never sends again': {
    ...{ only: ['transfer'], weather: { chain: ['drop'] }, finds: 'lost' },
  },
  'fails some for nothing': {
    ...{ only: ['transfer'], weather: { chain: [] }, finds: 'failed for nothing' },
  },
  'forgets what it has accepted': {
    ...{ only: ['transfer'], weather: { chain: [] }, finds: 'lost' },
  },
  'gives up what its signers have signed': {
    ...{ only: ['transfer'], weather: { chain: [] }, repairs: 2, finds: 'mended for nothing' },
  },
  'leaves cancellations lying': {
    ...{ only: ['cancelled'], weather: { chain: [] }, finds: 'lost' },
  },
  'takes some in, and cannot write it down': {
    ...{ only: ['transfer'], weather: { chain: [] }, finds: 'unanswered' },
  },
  'stumbles now and then': {
    ...{ only: ['transfer'], weather: { chain: [] }, finds: 'defect' },
  },
  'takes a retry for another request, as do the signers': {
    ...{ only: ['retried'], weather: { chain: [] }, finds: 'paid twice' },
  },
  'signs anew what it has forgotten, as have the signers': {
    ...{ only: ['transfer'], weather: lossy, finds: 'may be paid twice' },
  },
  'sends what nobody has approved, as do the signers': {
    ...{ only: ['transfer'], weather: { chain: [] }, policies: asking },
    finds: 'paid without approval',
  },
}

/** Few, and all of one kind: each has the chance to go wrong. */
const sizeOfOneKind = 10
/** A fault does its harm where something else goes wrong at its moment: in the first of them, as things are. */
const seeds = [3, 1, 2, 4, 5, 6]
/** `npm run simulate` has a server die at each of some hundred points; here it is one of so many. */
const pointsApart = 67

describe('a simulated world', { concurrency: true }, () => {
  let simulator: Simulator
  before(async () => {
    simulator = await openSimulator(3)
  })
  after(() => simulator.close())

  it('pays everybody once, whatever fails, and wherever a server dies', async () => {
    const { points, unreached, played } = await takeCensus(simulator)
    assert.deepEqual(unreached, [], 'moves of money that no scenario makes')
    assert.deepEqual(
      played.flatMap((one) => one.played.findings),
      [],
    )
    const some = points.filter((_, i) => i % pointsApart === 0)
    for (const { drill, ...target } of some) {
      const { findings, faults } = await simulator.play({ ...drill, targets: [target] })
      assert.deepEqual(findings, [])
      assert.ok(faults.visited.has(pointOf(target.place, target.fate)))
    }
  })

  it('is the same again for the same seed, and another one for another', async () => {
    const run = async (seed: number) =>
      (await simulator.play(worldOf(seed, [], { transfers: sizeOfOneKind, policies: ['asks'] })))
        .fingerprint
    const [once, again, other] = await Promise.all([run(7), run(7), run(8)])
    assert.equal(again, once)
    assert.notEqual(other, once)
  })

  it('is broken off when it does not end, wherever it is, and leaves its place to the next one', async () => {
    const lone = await openSimulator(1)
    for (const turnsMax of [40, 70, 100, 130])
      await assert.rejects(lone.play({ ...worldOf(7, []), turnsMax }), /for ever/)
    const { findings } = await lone.play(worldOf(7, [], { transfers: sizeOfOneKind }))
    assert.deepEqual(findings, [])
    await lone.close()
  })

  it('has nothing fail that is sponsored while the first time of its account is turned back', async () => {
    for (const seed of ['sponsored, turned back 18', 'sponsored, turned back 25']) {
      const shape = { servers: 2, nodes: 1, wallets: 1, transfers: 10, sponsors: [{}] }
      const weather: Weather = { chain: ['reorganize'] }
      const world = { seed, ...shape, only: ['transfer'] as const, sponsoredChance: 1, weather }
      assert.deepEqual((await simulator.play({ ...world, targets: [] })).findings, [])
    }
  })

  it('asks later for what somebody wanted while no server was there', async () => {
    const world = { ...worldOf(7, [], { transfers: sizeOfOneKind, repairs: 0 }), servers: 1 }
    const { transfers } = await simulator.play(world)
    assert.equal(transfers, sizeOfOneKind)
  })

  it('knows how high its chain has been when something was told, though a block is gone again', async () => {
    const { connections, close } = await openPlace()
    const world = new World({ seed: '1002', servers: 1, nodes: 1, wallets: 1, connections })
    await world.open()
    const { highest } = world.chain
    assert.equal(
      world.reorganize(1, () => true),
      1,
    )
    world.gated.onTold({ name: 'a transfer', status: 'Confirmed', hash: undefined })
    assert.deepEqual(
      world.told.map(({ height }) => height),
      [highest],
    )
    await close()
  })

  describe('and its auditor', { concurrency: true }, () => {
    const findingsOf = async (seed: number, more: Parameters<typeof worldOf>[2]) => {
      const asked = { transfers: sizeOfOneKind, repairs: 0, sponsors: [], ...more }
      return (await simulator.play(worldOf(seed, [], asked))).findings
    }

    for (const [name, plant] of Object.entries(planted)) {
      const { finds, ...more }: Expected = expected[name as Plant]
      it(`finds a server that ${name}`, async () => {
        for (const seed of seeds) {
          const findings = await findingsOf(seed, { ...more, planted: plant })
          if (findings.some(({ kind }) => kind === finds)) return
        }
        assert.fail(`no world ends with: ${finds}`)
      })
    }

    for (const weather of [lossy, { chain: ['reorganize'] }, { chain: ['drop'] }] as const)
      it(`finds nothing in the same weather where nothing is planted (${weather.chain})`, async () => {
        assert.deepEqual(await findingsOf(3, { only: ['transfer', 'retried'], weather }), [])
      })

    it('finds what was sent without approval though it was asked for before anybody had to approve it', async () => {
      const name = 'sends what nobody has approved, as do the signers'
      const more = { ...expected[name], transfers: 3, policies: [], laterPolicies: asking }
      const calm: Weather = { chain: ['down'], lasts: 80 }
      for (const seed of seeds) {
        const world = { ...more, weather: calm, planted: planted[name] }
        if ((await findingsOf(seed, world)).some(({ kind }) => kind === more.finds)) return
      }
      assert.fail('no world ends with it')
    })

    it('finds nobody paid twice where the server alone takes a retry for another request', async () => {
      const { only, weather } = expected['takes a retry for another request, as do the signers']
      assert.deepEqual(await findingsOf(3, { only, weather, planted: retriesOfServer }), [])
    })

    it('finds nothing sent without approval where the server alone asks nobody', async () => {
      const { only, weather } = expected['sends what nobody has approved, as do the signers']
      const more = { only, weather, policies: asking, planted: unaskingServer }
      assert.deepEqual(await findingsOf(3, more), [])
    })
  })
})
