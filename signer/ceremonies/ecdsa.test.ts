import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { fromHex } from '@quorate/core/bytes'
import type { SessionCall } from '@quorate/wire/link'
import { packetFor, type Packet } from '@quorate/wire/packet'
import { createKey, told, type Endings, type Key } from '../testing/keys.ts'
import { withLyingExtension } from '../testing/corrupt.ts'
import type { Drafted, Place } from '../testing/ledger.ts'
import { runSigning, setUpAllPairs, setUpPair, signature, signCall } from '../testing/signing.ts'
import { signatureRequest } from '../testing/uses.ts'
import { World } from '../testing/world.ts'

const message = fromHex('22'.repeat(32))

/** Three signers, as pairs are what takes the time. */
describe('signing with ECDSA', () => {
  const world = new World({ numbers: { n: 3, t: 2, q: 3 } })
  let key: Key
  let place: Place
  before(async () => {
    await world.found()
    key = await createKey(world, { scheme: 'ECDSA', curve: 'secp256k1' })
    place = world.keyPlace(key.id)
  })
  after(() => world.close())

  const use = () => world.draft(place, [{ kind: 'use', evidence: signatureRequest(world, key) }])
  const inForce = async (): Promise<Drafted> => {
    const drafted = use()
    await world.certify(place, drafted)
    return drafted
  }

  it('says which pairs it lacks', async () => {
    const call = signCall(place, await inForce(), { quorum: [1, 3] })
    const reply = await world.session(1, call)
    assert.deepEqual(reply, { kind: 'unpaired', peers: [3], burned: [] })
  })

  it('sets up no pair for nobody, for others, or for an organization that is not there', async () => {
    const { organization } = world
    const nonce = new Uint8Array(32)
    const pair = { kind: 'pair', organization, nonce } as const
    for (const participants of [
      [2, 3],
      [1, 1],
      [2, 1],
      [1, 4],
      [1, 2, 3],
    ])
      assert.match(told(await world.session(1, { ...pair, participants })), /not two signers/)
    const elsewhere = { ...pair, participants: [1, 2], organization: new Uint8Array(32) }
    assert.match(told(await world.session(1, elsewhere)), /no such organization/)
    await world.session(1, { ...pair, participants: [1, 2] })
    const again = await world.session(1, { ...pair, participants: [1, 2] })
    assert.match(told(again), /this session has been/)
  })

  it('sets a pair up again', async () => {
    const halfway = await setUpPair(world, 1, 2, { roundsMax: 3 })
    assert.ok([...halfway.values()].every(({ kind }) => kind === 'packet'))
    await setUpAllPairs(world)
    const of = { organization: world.organization, peer: 2 }
    const { epoch } = world.member(1).store.pairs.find(of) ?? {}
    for (const ending of (await setUpPair(world, 1, 2)).values())
      assert.equal(ending.kind, 'finished')
    assert.notDeepEqual(world.member(1).store.pairs.find(of)?.epoch, epoch)
  })

  it('asks for a new setup when one of two has missed the end of the last one', async () => {
    const cut = (packet: Packet, to: number): Packet =>
      to === 3 && packet.header.round === 3 ? { ...packet, signature: new Uint8Array(64) } : packet
    const endings = await setUpPair(world, 2, 3, { tamper: cut })
    assert.deepEqual([endings.get(2)?.kind, endings.get(3)?.kind], ['finished', 'aborted'])
    const call = signCall(place, await inForce(), { quorum: [2, 3] })
    const { endings: parted } = await runSigning(world, call, { roundsMax: 3 })
    assert.deepEqual(parted.get(2), { kind: 'unpaired', peers: [3], burned: [] })
    assert.deepEqual(parted.get(3), { kind: 'unpaired', peers: [2], burned: [] })
    for (const ending of (await setUpPair(world, 2, 3)).values())
      assert.equal(ending.kind, 'finished')
  })

  it('gives a valid signature by every quorum', async () => {
    const drafted = await inForce()
    for (const quorum of [
      [1, 2],
      [1, 3],
      [2, 3],
    ])
      await signature(world, key, { call: signCall(place, drafted, { quorum }), message })
  })

  it('heals a pair whose halves a server has parted, in use as they are', async () => {
    const drafted = await inForce()
    const call = signCall(place, drafted, { quorum: [2, 3] })
    const nonce = new Uint8Array(32).fill(9)
    const { organization } = world
    const setUp = { kind: 'pair', organization, participants: [2, 3], nonce } as const
    const both = async (session: (index: number) => SessionCall) => {
      const replies = [await world.session(2, session(2)), await world.session(3, session(3))]
      return new Map(replies.map((reply, i) => [2 + i, reply]))
    }
    const passOn = (index: number, replies: Endings): SessionCall => {
      const reply = replies.get(5 - index)
      assert.ok(reply?.kind === 'packet', told(reply))
      const packets = [packetFor(index, reply.packet)]
      return { kind: 'advance', ceremony: reply.ceremony, packets }
    }
    // A setup is held back before its last packets, the pair of before is used, and then one side
    // alone is let come to the end.
    let held = await both(() => setUp)
    for (let round = 1; round < 3; round++) {
      const before = held
      held = await both((index) => passOn(index, before))
    }
    const signing = await both(() => call)
    assert.equal((await world.session(3, passOn(3, signing))).kind, 'packet')
    assert.equal((await world.session(2, passOn(2, held))).kind, 'finished')
    const meanwhile = await world.session(2, passOn(2, signing))
    assert.deepEqual(meanwhile, { kind: 'unpaired', peers: [3], burned: [] })
    const again = signCall(place, drafted, { quorum: [2, 3] })
    const { endings } = await runSigning(world, again, { roundsMax: 3 })
    assert.deepEqual(endings.get(2), { kind: 'unpaired', peers: [3], burned: [] })
    assert.deepEqual(endings.get(3), { kind: 'unpaired', peers: [2], burned: [] })
    for (const ending of (await setUpPair(world, 2, 3)).values())
      assert.equal(ending.kind, 'finished')
    const last = signCall(place, drafted, { quorum: [2, 3] })
    await signature(world, key, { call: last, message })
  })

  it('gives round 2 only with a seal, and round 3 only with a certificate', async () => {
    const drafted = use()
    const { step } = drafted
    for (const index of world.indexes) await world.answer(index, place, world.propose(place, step))
    const voted = await runSigning(world, signCall(place, drafted), { roundsMax: 3 })
    for (const ending of voted.endings.values())
      assert.match(told(ending), /voted here, not sealed/)
    assert.equal(voted.packets.get(1)?.length, 1)
    const lock = world.lockBy([1, 2, 3], place, step)
    for (const index of [1, 2]) await world.answer(index, place, { kind: 'lock', lock, step })
    const sealed = await runSigning(world, signCall(place, drafted), { roundsMax: 3 })
    for (const ending of sealed.endings.values())
      assert.match(told(ending), /sealed here, not certified/)
    assert.equal(sealed.packets.get(1)?.length, 2)
    await world.certify(place, drafted)
  })

  it('sends round 2 once', async () => {
    const drafted = await inForce()
    const call = signCall(place, drafted)
    const [one, two] = [await world.session(1, call), await world.session(2, call)]
    assert.ok(one.kind === 'packet' && two.kind === 'packet')
    const advance = { kind: 'advance', ceremony: one.ceremony, packets: [two.packet] } as const
    assert.equal((await world.session(1, advance)).kind, 'packet')
    const again = await world.session(1, advance)
    assert.match(told(again), /not what its sender signed/)
    assert.match(told(await world.session(1, advance)), /no such session/)
  })

  it('burns a pair on its disk when a check of it fails, and never uses it again', async () => {
    const drafted = await inForce()
    const call = signCall(place, drafted, { quorum: [2, 3] })
    const [two, three] = [await world.session(2, call), await world.session(3, call)]
    assert.ok(two.kind === 'packet' && three.kind === 'packet')
    const lying = withLyingExtension(world, { key, call, message }, three.packet)
    const { ceremony } = two
    const outcome = await world.session(2, { kind: 'advance', ceremony, packets: [lying] })
    assert.ok(outcome.kind === 'aborted', told(outcome))
    assert.deepEqual(outcome.burned, [3])
    for (const restarted of [false, true]) {
      if (restarted) world.restart(2)
      const next = await world.session(2, signCall(place, drafted, { quorum: [2, 3] }))
      assert.deepEqual(next, { kind: 'unpaired', peers: [3], burned: [3] })
      const anew = await setUpPair(world, 2, 3)
      assert.deepEqual(anew.get(2), { kind: 'unpaired', peers: [3], burned: [3] })
    }
    assert.equal(
      world.member(2).store.pairs.find({ organization: world.organization, peer: 1 })?.status,
      'usable',
    )
    await signature(world, key, { call: signCall(place, drafted, { quorum: [1, 2] }), message })
  })

  it('tests no second guess at a pair that a first one has burned meanwhile', async () => {
    const drafted = await inForce()
    const calls = [0, 1].map(() => signCall(place, drafted, { quorum: [1, 3] }))
    const open = []
    for (const call of calls) {
      const [one, three] = [await world.session(1, call), await world.session(3, call)]
      assert.ok(one.kind === 'packet' && three.kind === 'packet')
      const lying = withLyingExtension(world, { key, call, message }, three.packet)
      open.push({ kind: 'advance', ceremony: one.ceremony, packets: [lying] } as const)
    }
    const endings = await Promise.all(open.map((advance) => world.session(1, advance)))
    assert.deepEqual(
      endings.map(({ kind }) => kind),
      ['aborted', 'unpaired'],
    )
  })

  it('asks for a new pair when one is too old, or was tested too often', async () => {
    const expected = { kind: 'unpaired', peers: [2], burned: [] }
    for (const ending of (await setUpPair(world, 1, 2)).values())
      assert.equal(ending.kind, 'finished')
    const asked = async () => world.session(1, signCall(place, await inForce(), { quorum: [1, 2] }))
    assert.equal((await asked()).kind, 'packet')
    for (const [tests, kind] of [
      [2 ** 21 - 2, 'packet'],
      [2 ** 21 - 1, 'unpaired'],
    ] as const) {
      const { store, file, kek } = world.member(1)
      store.close()
      const db = new DatabaseSync(file)
      db.exec(`update pair_counts set tests = ${tests} where peer = 2`)
      db.close()
      world.open(1, { file, kek })
      assert.equal((await asked()).kind, kind)
    }
    assert.deepEqual(await asked(), expected)
    await setUpPair(world, 1, 2)
    const of = { organization: world.organization, peer: 2 }
    assert.equal(world.member(1).store.pairs.find(of)?.tests, 0)
    const drafted = await inForce()
    await signature(world, key, { call: signCall(place, drafted), message })
    assert.equal(world.member(1).store.pairs.find(of)?.tests, 2)
    world.pass(30 * 24 * 3_600_000)
    assert.equal((await asked()).kind, 'packet')
    world.pass(1)
    assert.deepEqual(await asked(), expected)
    await setUpPair(world, 1, 2)
    await signature(world, key, { call: signCall(place, await inForce()), message })
  })

  it('gives no last round when what it knows by then forbids the use', async () => {
    const drafted = await inForce()
    const call = signCall(place, drafted)
    const replies = [await world.session(1, call), await world.session(2, call)]
    const second = await Promise.all(
      [1, 2].map((index) => {
        const [own, peer] = index === 1 ? replies : replies.toReversed()
        assert.ok(own?.kind === 'packet' && peer?.kind === 'packet')
        const { ceremony } = own
        return world.session(index, { kind: 'advance', ceremony, packets: [peer.packet] })
      }),
    )
    // From its first wallet on a real chain the key signs nothing raw. One has sealed that, one knows
    // it certified.
    const body = { network: 'EthereumSepolia', signingKey: { id: key.name } }
    const wallet = world.draft(world.root, [
      { kind: 'wallet', evidence: world.request({ path: '/wallets', body }) },
    ])
    const { step } = wallet
    const lock = world.lockBy([1, 2, 3], world.root, step)
    await world.answer(1, world.root, { kind: 'lock', lock, step })
    await world.adopt(2, world.root, {
      certificate: world.certificateBy([1, 2, 3], world.root, step),
      step,
    })
    for (const index of [1, 2]) {
      const [own, peer] = index === 1 ? second : second.toReversed()
      assert.ok(own?.kind === 'packet' && peer?.kind === 'packet')
      const { ceremony } = own
      const advance = { kind: 'advance', ceremony, packets: [peer.packet] } as const
      assert.match(told(await world.session(index, advance)), /effect is unknown/)
    }
  })
})
