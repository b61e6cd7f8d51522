import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { after, afterEach, describe, it } from 'node:test'
import type { SessionReply } from '@quorate/wire/link'
import { packetFor } from '@quorate/wire/packet'
import { betOnDelta } from '../testing/corrupt.ts'
import { carry, createKey, everybody, told } from '../testing/keys.ts'
import { setUpPair } from '../testing/signing.ts'
import { World } from '../testing/world.ts'
import { SessionWorker, sessionsMax } from './worker.ts'

/** A setup with oneself is a defect, in whichever thread. */
const deadly = { kind: 'pair', self: 1, peer: 1, sid: new Uint8Array(32) } as const
const ecdsa = { scheme: 'ECDSA', curve: 'secp256k1' } as const
const setup = { kind: 'pair', self: 1, peer: 2, sid: new Uint8Array(32) } as const

describe('a worker thread', () => {
  const lines: string[] = []
  const worker = new SessionWorker((event) => lines.push(JSON.stringify(event)))
  after(() => worker.close())

  it('leaves the turns of its signer to others while it works', async () => {
    const told: string[] = []
    const answer = worker
      .session()
      .begin(setup)
      .then(({ kind }) => told.push(kind))
    await setImmediate()
    told.push('a turn')
    await answer
    assert.deepEqual(told, ['a turn', 'next'])
  })

  it('takes no more sessions than it has room for, and takes one when another has ended', () => {
    const sessions = []
    while (!worker.isFull()) sessions.push(worker.session())
    // The one of the test before is still open.
    assert.equal(sessions.length, sessionsMax - 1)
    sessions.pop()?.end()
    assert.equal(worker.isFull(), false)
    for (const session of sessions) session.end()
  })

  it('takes all of its sessions along when it fails, says so once, and is started again', async () => {
    const [one, other] = [worker.session(), worker.session()]
    assert.equal((await one.begin(setup)).kind, 'next')
    assert.equal((await other.begin(deadly)).kind, 'lost')
    assert.equal((await one.advance([])).kind, 'lost')
    assert.deepEqual(lines, ['{"event":"worker-failed","name":"AssertionError","sessions":3}'])
    // Not at once, lest a loop of failures takes the machine.
    assert.equal(worker.isFull(), true)
    while (worker.isFull()) await setImmediate()
    assert.equal((await worker.session().begin(setup)).kind, 'next')
  })

  it('ends with its signer, and nobody waits for it for ever', async () => {
    const answer = worker.session().begin(setup)
    worker.close()
    assert.equal((await answer).kind, 'lost')
    assert.equal(worker.isFull(), true)
    assert.equal(lines.length, 1)
  })
})

describe('a signer with a worker thread', () => {
  const worlds: World[] = []
  const newWorld = async (real?: readonly number[]) => {
    const world = new World({ ...(real && { real }) })
    worlds.push(world)
    await world.found()
    return world
  }
  afterEach(() => worlds.splice(0).forEach((world) => world.close()))

  it('votes while pairs are set up', async () => {
    const world = await newWorld([1, 2])
    const { organization } = world
    const key = await createKey(world, ecdsa)
    const body = { network: 'EthereumSepolia', signingKey: { id: key.name } }
    const evidence = world.request({ path: '/wallets', body })
    const { step } = world.draft(world.root, [{ kind: 'wallet', evidence }])
    const order: string[] = []
    const setups = Array.from({ length: 8 }, async () => {
      const nonce = new Uint8Array(randomBytes(32))
      const participants = [1, 2]
      const reply = await world.session(1, { kind: 'pair', organization, participants, nonce })
      order.push(reply.kind)
    })
    const answer = await world.answer(1, world.root, world.propose(world.root, step))
    order.push(answer.kind)
    await Promise.all(setups)
    assert.deepEqual(order, ['vote', ...setups.map(() => 'packet')])
  })

  it('ends a ceremony whose thread has failed with an abort that blames nobody', async () => {
    const world = await newWorld()
    const halfway = await setUpPair(world, 1, 2, { roundsMax: 2 })
    await world.worker.session().begin(deadly)
    const own = packetOf(halfway.get(1))
    const packets = [packetFor(1, packetOf(halfway.get(2)).packet)]
    const { ceremony } = own
    const reply = await world.session(1, { kind: 'advance', ceremony, packets })
    assert.ok(reply.kind === 'aborted', told(reply))
    assert.deepEqual([reply.culprits, reply.burned], [[], []])
    const early = await setUpPair(world, 1, 2)
    assert.equal(early.get(1)?.kind, 'busy')
    while (world.worker.isFull()) await setImmediate()
    for (const ending of (await setUpPair(world, 1, 2)).values())
      assert.equal(ending.kind, 'finished', told(ending))
    await createKey(world, ecdsa)
  })

  it('hears of a lost bet although its session was closed while it was worked out', async () => {
    const world = await newWorld([1])
    const { place, ceremony } = await betOnDelta(world, { honest: 1, corrupt: 4, bits: 40 })
    const [bet, closed] = await Promise.all([
      place(),
      world.session(1, { kind: 'close', ceremony }),
    ])
    assert.equal(closed.kind, 'closed')
    assert.equal(bet.kind, 'aborted', told(bet))
    const { pairs } = world.member(1).store
    assert.equal(pairs.find({ organization: world.organization, peer: 4 })?.status, 'burned')
  })

  it('keeps no session that was closed while it was worked out', async () => {
    const world = await newWorld([1, 2])
    const { organization } = world
    const call = { kind: 'pair', organization, participants: [1, 2], nonce: new Uint8Array(32) }
    const first = await everybody(world, (i) => world.session(i, { ...call, kind: 'pair' }), [1, 2])
    const { ceremony } = packetOf(first.get(1))
    const packets = [packetFor(1, packetOf(first.get(2)).packet)]
    const advance = { kind: 'advance', ceremony, packets } as const
    const [reply] = await Promise.all([
      world.session(1, advance),
      world.session(1, { kind: 'close', ceremony }),
    ])
    assert.match(told(reply), /was closed/)
    const [ending] = (await carry(world, new Map([[1, packetOf(first.get(1))]]), {})).values()
    assert.match(told(ending), /no such session/)
  })
})

function packetOf(reply: SessionReply | undefined) {
  assert.ok(reply?.kind === 'packet', told(reply))
  return reply
}
