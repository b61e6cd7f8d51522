import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { lockOf, type Signed, type Vote } from '@quorate/authority/agreement/messages'
import { fromHex } from '@quorate/core/bytes'
import type { Packet } from '@quorate/wire/packet'
import { createKey, told, type Key } from '../testing/keys.ts'
import type { Drafted, Place } from '../testing/ledger.ts'
import { runSigning, signature, signCall } from '../testing/signing.ts'
import { signatureRequest } from '../testing/uses.ts'
import { some, World } from '../testing/world.ts'

const message = fromHex('22'.repeat(32))
const quorums = [
  [1, 2],
  [1, 3],
  [1, 4],
  [2, 3],
  [2, 4],
  [3, 4],
]

describe('signing with FROST', () => {
  const world = new World()
  let key: Key
  let place: Place
  before(async () => {
    await world.found()
    key = await createKey(world, { scheme: 'EdDSA', curve: 'ed25519' })
    place = world.keyPlace(key.id)
  })
  after(() => world.close())

  const use = () => world.draft(place, [{ kind: 'use', evidence: signatureRequest(world, key) }])
  const inForce = async (): Promise<Drafted> => {
    const drafted = use()
    await world.certify(place, drafted)
    return drafted
  }

  it('gives a valid signature by every quorum, under one step', async () => {
    const drafted = await inForce()
    for (const quorum of quorums)
      await signature(world, key, { call: signCall(place, drafted, { quorum }), message })
  })

  it('rides along with agreement: three messages to each signer, and the signature is there', async () => {
    const drafted = use()
    const { step } = drafted
    const call = signCall(place, drafted)
    const packets = new Map<number, Packet>()
    const votes: Signed<Vote>[] = []
    let ceremony = new Uint8Array()
    for (const index of world.indexes) {
      const ride = call.quorum.includes(index) ? call : undefined
      const { answer, session } = await world.agree(index, place, world.propose(place, step), ride)
      assert.ok(answer.kind === 'vote' && answer.statement.kind === 'vote')
      votes.push({ statement: answer.statement, signature: answer.signature })
      if (session?.kind !== 'packet') continue
      packets.set(index, session.packet)
      ceremony = new Uint8Array(session.ceremony)
    }
    assert.equal(packets.size, 2)
    const lock = { kind: 'lock', lock: lockOf(some(votes)), step: undefined } as const
    for (const index of world.indexes)
      assert.equal((await world.answer(index, place, lock)).kind, 'seal')
    const certificate = world.certificateBy([1, 2, 3], place, step)
    for (const index of call.quorum) {
      const others = [...packets].filter(([from]) => from !== index).map(([, packet]) => packet)
      const request = { kind: 'certificate', certificate, step: undefined } as const
      const advance = { kind: 'advance', ceremony, packets: others } as const
      const last = await world.agree(index, place, request, advance)
      assert.equal(last.answer.kind, 'head')
      assert.equal(last.session?.kind, 'packet')
    }
    for (const index of [3, 4]) await world.adopt(index, place, { certificate, step })
    world.ledger.add(place.stream, { step, certificate, writes: drafted.writes })
  })

  describe('gives no last round', () => {
    const opened = async (drafted: Drafted) => {
      const call = signCall(place, drafted)
      const replies = [await world.session(1, call), await world.session(2, call)] as const
      const [own, peer] = replies
      assert.ok(own.kind === 'packet', told(own))
      return { own, peer }
    }

    it('for a step that is voted, or sealed, and not certified', async () => {
      for (const sealed of [false, true]) {
        const drafted = use()
        const { step } = drafted
        for (const index of world.indexes)
          await world.answer(index, place, world.propose(place, step))
        if (sealed)
          for (const index of [1, 2])
            await world.answer(index, place, {
              kind: 'lock',
              lock: world.lockBy([1, 2, 3], place, step),
              step,
            })
        const { endings } = await runSigning(world, signCall(place, drafted), { roundsMax: 2 })
        for (const ending of endings.values()) assert.match(told(ending), /not certified/)
        await world.certify(place, drafted)
      }
    })

    it('outside the window after the time of the step, however long the server has hoarded', async () => {
      const drafted = await inForce()
      const call = signCall(place, drafted)
      const first = [await world.session(1, call), await world.session(2, call)]
      world.pass(60_000)
      const [one, two] = first
      assert.ok(one?.kind === 'packet' && two?.kind === 'packet')
      const advance = { kind: 'advance', ceremony: one.ceremony, packets: [two.packet] } as const
      const onTime = await world.session(1, advance)
      assert.equal(onTime.kind, 'packet')
      world.pass(1)
      const late = await world.session(2, { ...advance, packets: [one.packet] })
      assert.match(told(late), /session has expired/)
      assert.match(told(await world.session(1, signCall(place, drafted))), /window has passed/)
      world.pass(60_000)
    })

    it('twice, nor another after a refusal, nor under an id that has been used', async () => {
      const drafted = await inForce()
      const call = signCall(place, drafted)
      const { own, peer } = await opened(drafted)
      assert.ok(peer.kind === 'packet')
      const advance = { kind: 'advance', ceremony: own.ceremony, packets: [peer.packet] } as const
      const last = await world.session(1, advance)
      assert.equal(last.kind, 'packet')
      assert.match(told(await world.session(1, advance)), /no such session/)
      assert.equal((await world.session(1, call)).kind, 'packet')
      assert.match(told(await world.session(1, call)), /this session has been/)
      world.restart(1)
      assert.match(told(await world.session(1, advance)), /no such session/)
      assert.match(told(await world.session(1, call)), /this session has been/)
    })

    it('to packets that are not what the others have signed for this session', async () => {
      const drafted = await inForce()
      const { own, peer } = await opened(drafted)
      const { own: later } = await opened(drafted)
      assert.ok(peer.kind === 'packet')
      const flipped = { ...peer.packet, signature: peer.packet.signature.with(0, 1) }
      for (const [ceremony, packet, reason] of [
        [own.ceremony, flipped, /not what its sender signed/],
        [later.ceremony, peer.packet, /not what its sender signed/],
      ] as const) {
        const reply = await world.session(1, { kind: 'advance', ceremony, packets: [packet] })
        assert.match(told(reply), reason)
      }
      const { own: third } = await opened(drafted)
      const none = { kind: 'advance', ceremony: third.ceremony, packets: [] } as const
      assert.match(told(await world.session(1, none)), /not one packet of each/)
    })
  })

  it('signs again after its window, under a renewal of the same use', async () => {
    const evidence = signatureRequest(world, key)
    const drafted = await world.put('use', evidence, place.stream)
    world.pass(60_001)
    assert.match(told(await world.session(1, signCall(place, drafted))), /window has passed/)
    const renewed = await world.put('renew', evidence, place.stream)
    await signature(world, key, { call: signCall(place, renewed), message })
  })

  it('keeps few sessions of one signature open, is busy for more, and forgets what is closed', async () => {
    const drafted = await inForce()
    const begin = () => world.session(1, signCall(place, drafted))
    const replies = []
    for (let i = 0; i < 8; i++) replies.push(await begin())
    const [first] = replies
    assert.ok(first?.kind === 'packet' && replies.every(({ kind }) => kind === 'packet'))
    assert.deepEqual(await begin(), { kind: 'busy' })
    assert.equal((await world.session(1, signCall(place, await inForce()))).kind, 'packet')
    const { ceremony } = first
    assert.deepEqual(await world.session(1, { kind: 'close', ceremony }), { kind: 'closed' })
    const gone = await world.session(1, { kind: 'advance', ceremony, packets: [] })
    assert.match(told(gone), /no such session/)
    assert.equal((await begin()).kind, 'packet')
  })

  it('opens nothing for a quorum that is not one', async () => {
    const drafted = await inForce()
    for (const quorum of [
      [1, 2, 3],
      [2, 1],
      [1, 1],
      [2, 3],
      [1, 5],
    ])
      assert.match(told(await world.session(1, signCall(place, drafted, { quorum }))), /quorum/)
    assert.match(told(await world.session(1, signCall(place, drafted, { item: 1 }))), /evidence/)
    const elsewhere = signCall(place, drafted, { step: new Uint8Array(32) })
    assert.match(told(await world.session(1, elsewhere)), /unknown here/)
    const digest = signCall(place, drafted, { digest: 1 })
    assert.match(told(await world.session(1, digest)), /nothing to be signed/)
  })
})
