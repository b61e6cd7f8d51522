import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { betOnDelta } from '../testing/corrupt.ts'
import type { Inbound } from '@quorate/threshold/session'
import type { Reply, SessionCall } from '@quorate/wire/link'
import { packetFor } from '@quorate/wire/packet'
import { told } from '../testing/keys.ts'
import { setUpPair } from '../testing/signing.ts'
import { World } from '../testing/world.ts'
import type { Start } from '../worker/messages.ts'
import type { WorkerSession } from '../worker/worker.ts'

/** As good as sure to be lost. */
const bits = 40
const nonce = new Uint8Array(32)

/** Signer 4 is corrupt. */
describe('the setup of a pair', () => {
  const world = new World({ real: [1, 2, 3] })
  before(() => world.found())
  after(() => world.close())
  const pairOf = (index: number, peer: number) =>
    world.member(index).store.pairs.find({ organization: world.organization, peer })

  it('burns for a lost bet on the secret that is being made, and never begins again', async () => {
    const { place } = await betOnDelta(world, { honest: 1, corrupt: 4, bits })
    const reply = await place()
    assert.ok(reply.kind === 'aborted', told(reply))
    assert.deepEqual([reply.reason, reply.culprits, reply.burned], ['tree', [4], [4]])
    const lines = world.member(1).lines.filter((line) => line.includes('pair-burned'))
    assert.equal(lines.length, 1)
    for (const restarted of [false, true]) {
      if (restarted) world.restart(1)
      assert.equal(pairOf(1, 4)?.status, 'burned')
      await assert.rejects(betOnDelta(world, { honest: 1, corrupt: 4, bits }), /unpaired/)
    }
    assert.equal(pairOf(1, 2), undefined)
  })

  it('says nothing of a second guess after a lost one, nor keeps what another setup has made', async () => {
    const bets = [bits, bits, 0]
    const placed = []
    for (const many of bets)
      placed.push((await betOnDelta(world, { honest: 2, corrupt: 4, bits: many })).place)
    const answers = await Promise.all(placed.map((place) => place()))
    assert.deepEqual(
      answers.map(({ kind }) => kind),
      ['aborted', 'refused', 'refused'],
    )
    assert.equal(pairOf(2, 4)?.status, 'burned')
  })

  it('has burned for good even if the very next call meets a defect', async () => {
    const { store, signer, defects, lines } = world.member(3)
    const { organization } = world
    const session = { kind: 'pair', organization, participants: [1, 3], nonce } as const
    const following: Promise<Reply>[] = []
    const mayCall = { now: false }
    behindAnswers(world, () => {
      if (mayCall.now) following.push(signer.answer({ kind: 'session', session }))
    })
    const { place } = await betOnDelta(world, { honest: 3, corrupt: 4, bits })
    Object.assign(store.memory, {
      useSession() {
        throw new Error('a defect, or a full disk')
      },
    })
    mayCall.now = true
    const [bet] = await Promise.allSettled([place()])
    mayCall.now = false
    const [next] = await Promise.allSettled(following)
    assert.ok(next !== undefined)
    assert.equal(next.status, 'rejected')
    assert.equal(defects.length, 1)
    assert.ok(bet.status === 'fulfilled' && bet.value.kind === 'aborted')
    assert.match(lines.join(), /pair-burned/)
    world.restart(3)
    assert.equal(pairOf(3, 4)?.status, 'burned')
  })

  it('is not said to have burned before that is on the disk', async () => {
    const { place } = await betOnDelta(world, { honest: 3, corrupt: 1, bits })
    const { store, lines } = world.member(3)
    const { commit } = store
    Object.assign(store, {
      commit: <T>(work: () => T) =>
        commit(() => {
          work()
          throw new Error('a full disk')
        }),
    })
    await assert.rejects(place(), /full disk/)
    assert.doesNotMatch(lines.join(), /pair-burned/)
    world.restart(3)
    assert.equal(pairOf(3, 1), undefined)
  })

  it('is not begun, nor gone on with, by a store that has forgotten what it did', async () => {
    const halfway = await setUpPair(world, 1, 2, { roundsMax: 2 })
    const { store } = world.member(1)
    const restored = (flag: number) => store.commit(() => store.memory.setNumber('restored', flag))
    restored(1)
    assert.match(told((await setUpPair(world, 1, 2)).get(1)), /an old one/)
    const [own, peer] = [halfway.get(1), halfway.get(2)]
    assert.ok(own?.kind === 'packet' && peer?.kind === 'packet')
    const packets = [packetFor(1, peer.packet)]
    const next = await world.session(1, { kind: 'advance', ceremony: own.ceremony, packets })
    assert.match(told(next), /an old one/)
    restored(0)
  })

  it('is begun so many times in an hour, over a restart too, and not more often', async () => {
    world.pass(3_600_000)
    const { organization } = world
    const begin = (i: number) => {
      const session = { kind: 'pair', organization, participants: [1, 3], nonce: nonce.with(0, i) }
      return world.session(3, session as SessionCall)
    }
    for (let i = 0; i < 32; i++) {
      const reply = await begin(i)
      assert.equal(reply.kind, 'packet', told(reply))
      if (i === 20) world.restart(3)
    }
    assert.match(told(await begin(32)), /too many setups/)
    for (const ending of (await setUpPair(world, 2, 3)).values())
      assert.equal(ending.kind, 'finished')
    world.pass(3_600_000)
    assert.equal((await begin(33)).kind, 'packet')
  })

  it('goes on with all others', async () => {
    for (const ending of (await setUpPair(world, 1, 2)).values())
      assert.equal(ending.kind, 'finished')
  })
})

/** Has this called each time right behind what becomes of an answer of the worker. */
function behindAnswers({ worker }: World, call: () => void): void {
  const { session } = worker
  const behind = <T>(answer: Promise<T>): Promise<T> =>
    answer.finally(() => {
      // Registered before the turn that settles the answer, and run when that is in the queue.
      setImmediate(call)
    })
  Object.assign(worker, {
    session() {
      const { begin, advance, end }: WorkerSession = session.call(worker)
      return {
        begin: (start: Start) => behind(begin(start)),
        advance: (inbox: readonly Inbound[]) => behind(advance(inbox)),
        end,
      }
    },
  })
}
