import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import type { Answer } from '@quorate/authority/agreement/exchange'
import { signStatement } from '@quorate/authority/agreement/exchange'
import { certificateOf, type Certificate } from '@quorate/authority/agreement/messages'
import { newVoter } from '@quorate/authority/agreement/voter'
import { equalBytes } from '@quorate/core/bytes'
import { signAs } from './testing/cluster.ts'
import { liftStop } from './stop.ts'
import { createKey, createWallet, type Key } from './testing/keys.ts'
import type { Drafted, Place } from './testing/ledger.ts'
import { genesisRequest, withPayload } from './testing/requests.ts'
import { signCall } from './testing/signing.ts'
import { forge, signatureRequest } from './testing/uses.ts'
import { some, toldAnswer, World } from './testing/world.ts'

const others = [2, 3, 4]
const hash = (byte: string) => ({ kind: 'Hash', hash: `0x${byte.repeat(32)}` })

describe('a signer before a hostile server', () => {
  let world: World
  let key: Key
  let place: Place

  beforeEach(async () => {
    world = new World({ real: [1] })
    await world.found()
    key = await createKey(world, { scheme: 'ECDSA', curve: 'secp256k1' })
    place = world.keyPlace(key.id)
  })
  afterEach(() => world.close())

  const use = (byte = '22'): Drafted =>
    world.draft(place, [{ kind: 'use', evidence: signatureRequest(world, key, hash(byte)) }])
  const refused = (answer: Answer, reason: string, detail: RegExp = /./): void => {
    assert.equal(answer.kind === 'refusal' ? answer.reason : toldAnswer(answer), reason)
    assert.match(answer.kind === 'refusal' ? answer.detail : '', detail)
  }
  const propose = ({ step }: Drafted, ballot = 0) =>
    world.answer(1, place, world.propose(place, step, ballot))

  it('votes once in a ballot, and says so to the second proposal', async () => {
    const [first, second] = [use('22'), use('33')]
    assert.equal((await propose(first)).kind, 'vote')
    refused(await propose(second), 'voted')
    assert.equal((await propose(first)).kind, 'vote')
    world.restart(1)
    refused(await propose(second), 'voted')
    assert.equal((await propose(first)).kind, 'vote')
  })

  it('opens no higher ballot without the promises of a quorum', async () => {
    refused(await propose(use(), 1), 'closed')
  })

  it('does not go back behind a log that it has seen, nor leap over a step', async () => {
    const [first, rival] = [use('22'), use('33')]
    await world.certify(place, first)
    const stale = await propose(rival)
    assert.ok(stale.kind === 'stale' && stale.statement.kind === 'head')
    assert.equal(stale.statement.seq, 1)
    const skipping = world.draft(
      place,
      [{ kind: 'use', evidence: signatureRequest(world, key, hash('44')) }],
      (step) => ({ ...step, seq: 2 }),
    )
    assert.equal((await propose(skipping)).kind, 'behind')
  })

  it('believes q votes and q seals, and not one less, nor one voice twice', async () => {
    const drafted = use()
    const { step } = drafted
    const lock = world.lockBy(others, place, step)
    const few = { ...lock, voices: lock.voices.slice(1) }
    const twice = { ...lock, voices: [...few.voices, ...few.voices.slice(0, 1)] }
    for (const bad of [few, twice])
      refused(await world.answer(1, place, { kind: 'lock', lock: bad, step }), 'evidence')
    const certificate = world.certificateBy(others, place, step)
    const fewSeals = { ...certificate, voices: certificate.voices.slice(1) }
    refused(await world.adopt(1, place, { certificate: fewSeals, step }), 'evidence')
    const votesForSeals: Certificate = { ...certificate, voices: lock.voices }
    refused(await world.adopt(1, place, { certificate: votesForSeals, step }), 'evidence')
    assert.equal(world.member(1).store.log.newestSeq(place), -1)
    assert.equal((await world.answer(1, place, { kind: 'lock', lock, step })).kind, 'seal')
    assert.equal((await world.adopt(1, place, { certificate, step })).kind, 'head')
  })

  it('does not take the seals of signers that its manifest does not name', async () => {
    const stranger = new World({ real: [] })
    const { step } = use()
    const { manifestHash } = world.seal(2, place, step).statement
    const seals = others.map((index) => {
      const { statement } = stranger.seal(index, place, step)
      const said = { ...statement, manifestHash }
      return signStatement(said, (message) => signAs(stranger.cluster, index, message))
    })
    refused(
      await world.adopt(1, place, { certificate: certificateOf(some(seals)), step }),
      'evidence',
    )
    stranger.close()
  })

  it('stops an organization for good whose log was certified twice at one place', async () => {
    const [first, rival] = [use('22'), use('33')]
    await world.certify(place, first)
    await world.certify(place, use('44'))
    const certificate = world.certificateBy(others, place, rival.step)
    const alarm = await world.adopt(1, place, { certificate, step: rival.step })
    assert.match(toldAnswer(alarm), /alarm: two steps are certified/)
    const { lines } = world.member(1)
    assert.ok(lines.some((line) => line.includes('"alarm"')))
    world.restart(1)
    assert.equal((await propose(use('55'))).kind, 'alarm')
    const reply = await world.session(1, signCall(place, first))
    assert.match(reply.kind === 'refused' ? reply.reason : '', /stands still/)
    const request = world.request({ path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } })
    const { organization } = world
    const nonce = new Uint8Array(32)
    const birth = { kind: 'generate', organization, evidence: request, index: 0, nonce } as const
    const born = await world.session(1, birth)
    assert.match(born.kind === 'refused' ? born.reason : '', /stands still/)
  })

  it('stops an organization for which q signers have certified what the rules forbid', async () => {
    const like = signatureRequest(world, key)
    const evidence = withPayload(like, () => hash('66'))
    const { step } = forge(world, place, { kind: 'use', evidence, like })
    const certificate = world.certificateBy(others, place, step)
    const alarm = await world.adopt(1, place, { certificate, step })
    assert.match(toldAnswer(alarm), /alarm: an invalid step is certified/)
    assert.equal(world.member(1).store.log.newestSeq(place), -1)
    assert.equal((await propose(use())).kind, 'alarm')
  })

  it('is not stopped by a step of rules that its program does not have yet', async () => {
    const newer = world.draft(
      place,
      [{ kind: 'use', evidence: signatureRequest(world, key) }],
      (step) => ({
        ...step,
        reducer: step.reducer + 1,
      }),
    )
    const { step } = newer
    const lock = world.lockBy(others, place, step)
    const certificate = world.certificateBy(others, place, step)
    for (const request of [
      world.propose(place, step),
      { kind: 'lock', lock, step } as const,
      { kind: 'certificate', certificate, step } as const,
    ]) {
      const answer = await world.answer(1, place, request)
      assert.match(toldAnswer(answer), /refusal: unknown reducer version/)
    }
    assert.equal(world.member(1).store.memory.stopped(world.organization), undefined)
    assert.equal((await propose(use())).kind, 'vote')
  })

  it('goes on when an operator lifts this very stop, and no other', async () => {
    const like = signatureRequest(world, key)
    const forged = (byte: string) =>
      forge(world, place, { kind: 'use', evidence: withPayload(like, () => hash(byte)), like }).step
    const alarm = async (step: Drafted['step']) => {
      const certificate = world.certificateBy(others, place, step)
      assert.equal((await world.adopt(1, place, { certificate, step })).kind, 'alarm')
      const line = world.member(1).lines.findLast((text) => text.includes('"alarm"')) ?? '{}'
      // Reasons of the rules may quote a payload: the line has none of them.
      assert.deepEqual(Object.keys(JSON.parse(line)), ['event', 'organization', 'detail', 'stop'])
      assert.equal(JSON.parse(line).detail, 'an invalid step is certified: in item 0')
      return String(JSON.parse(line).stop)
    }
    const lift = (name: string) => {
      const events: string[] = []
      liftStop(world.member(1).store, name, ({ event }) => events.push(event))
      return events
    }
    const first = await alarm(forged('66'))
    assert.deepEqual(lift(first), ['stop-lifted'])
    assert.equal((await propose(use())).kind, 'vote')
    const second = await alarm(forged('77'))
    assert.notEqual(second, first)
    assert.deepEqual(lift(first), ['stop-not-found'])
    assert.equal((await propose(use())).kind, 'alarm')
  })

  it('leaves other organizations alone when one stands still', async () => {
    const like = signatureRequest(world, key)
    const evidence = withPayload(like, () => hash('66'))
    const { step } = forge(world, place, { kind: 'use', evidence, like })
    await world.adopt(1, place, { certificate: world.certificateBy(others, place, step), step })
    const { evidence: genesis, administrator } = genesisRequest(
      world.cluster.manifest.hash,
      world.now,
    )
    const { organization } = administrator
    const elsewhere = { organization, stream: { kind: 'root', id: organization } } as const
    const fresh = new World({ real: [], cluster: world.cluster, now: world.now })
    const drafted = fresh.draft(elsewhere, [{ kind: 'genesis', evidence: genesis }])
    const answer = await world.answer(1, elsewhere, fresh.propose(elsewhere, drafted.step))
    assert.equal(answer.kind, 'vote')
    fresh.close()
  })

  it('is not stopped by other evidence beside a step that has q votes', async () => {
    const evidence = signatureRequest(world, key)
    const honest = world.draft(place, [{ kind: 'use', evidence }])
    const swapped = withPayload(evidence, () => hash('77'))
    const { step } = forge(world, place, { kind: 'use', evidence: swapped, like: evidence })
    const mixed = { ...honest.step, bytes: step.bytes }
    const lock = world.lockBy(others, place, honest.step)
    refused(await world.answer(1, place, { kind: 'lock', lock, step: mixed }), 'body_missing')
    const whole = await world.answer(1, place, { kind: 'lock', lock, step: honest.step })
    assert.equal(whole.kind, 'seal')
  })

  it('promises nothing in streams that do not exist, and keeps nothing of them', async () => {
    const { store } = world.member(1)
    const strange = (fill: number) => new Uint8Array(32).fill(fill)
    const { organization } = world
    const ballot = { kind: 'ballot', ballot: 1, seq: 0, headCertificate: undefined } as const
    const before = store.sequence
    for (const at of [
      { organization: strange(7), stream: { kind: 'root', id: strange(7) } },
      { organization: strange(7), stream: { kind: 'key', id: strange(8) } },
      { organization, stream: { kind: 'root', id: strange(8) } },
      { organization, stream: { kind: 'user', id: strange(8) } },
      { organization, stream: { kind: 'key', id: strange(8) } },
    ] as const) {
      const answer = await world.answer(1, at, ballot)
      assert.ok(answer.kind === 'refusal' || answer.kind === 'behind', toldAnswer(answer))
      if (answer.kind === 'behind') assert.equal(answer.statement.stream.kind, 'root')
      assert.equal(store.log.voter(at), newVoter)
    }
    assert.equal(store.sequence, before)
    assert.equal((await world.answer(1, place, ballot)).kind, 'promise')
  })

  it('asks for the root stream when a step rests on a head that it has not seen, and is not stopped', async () => {
    const drafted = use()
    const { step } = drafted
    const late = new World({ real: [3], cluster: world.cluster, now: world.now })
    const lock = world.lockBy([1, 2, 4], place, step)
    const certificate = world.certificateBy([1, 2, 4], place, step)
    for (const request of [
      world.propose(place, step),
      { kind: 'lock', lock, step } as const,
      { kind: 'certificate', certificate, step } as const,
    ]) {
      const answer = await late.answer(3, place, request)
      assert.ok(answer.kind === 'behind' && answer.statement.kind === 'head')
      assert.equal(answer.statement.stream.kind, 'root')
      assert.equal(answer.statement.seq, 0)
    }
    for (const entry of world.ledger.of(world.root.stream))
      assert.equal((await late.adopt(3, world.root, entry)).kind, 'head')
    assert.equal((await late.answer(3, place, { kind: 'lock', lock, step })).kind, 'seal')
    late.close()
  })

  it('judges by the newest rules it knows, certified or only sealed, whatever heads are named', async () => {
    const body = { network: 'EthereumSepolia', signingKey: { id: key.name } }
    const wallet = world.draft(world.root, [
      { kind: 'wallet', evidence: world.request({ path: '/wallets', body }) },
    ])
    const [before, after] = [use('22'), use('33')]
    assert.equal((await propose(before)).kind, 'vote')
    const ballots = { kind: 'lock', step: wallet.step } as const
    const lock = world.lockBy(others, world.root, wallet.step)
    assert.equal((await world.answer(1, world.root, { ...ballots, lock })).kind, 'seal')
    const rawKey = /effect is unknown/
    const at = world.propose(place, after.step, 1)
    const promises = await promisesFor(1)
    refused(await world.answer(1, place, { ...at, promises }), 'not_fresh', rawKey)
    const certificate = world.certificateBy(others, world.root, wallet.step)
    await world.adopt(1, world.root, { certificate, step: wallet.step })
    refused(await world.answer(1, place, { ...at, promises }), 'not_fresh', rawKey)
    const reply = await world.session(1, signCall(place, before))
    assert.match(reply.kind === 'refused' ? reply.reason : '', rawKey)
  })

  it('holds an external id for the first request that it has voted for, certified or not', async () => {
    const asked = (byte: string) => ({ ...hash(byte), externalId: 'invoice 7' })
    const first = world.draft(place, [
      { kind: 'use', evidence: signatureRequest(world, key, asked('22')) },
    ])
    assert.equal((await propose(first)).kind, 'vote')
    world.restart(1)
    const second = world.draft(place, [
      { kind: 'use', evidence: signatureRequest(world, key, asked('33')) },
    ])
    const promises = await promisesFor(1)
    const again = (drafted: Drafted) =>
      world.answer(1, place, { ...world.propose(place, drafted.step, 1), promises })
    refused(await again(second), 'not_fresh', /external id/)
    assert.equal((await again(first)).kind, 'vote')
  })

  it('takes no two requests of one external id in one step', async () => {
    const ask = (byte: string) => {
      const body = { ...hash(byte), externalId: 'invoice 8' }
      return { kind: 'use', evidence: signatureRequest(world, key, body) } as const
    }
    refused(await propose(world.draft(place, [ask('22'), ask('33')])), 'not_fresh', /external id/)
  })

  async function promisesFor(ballot: number) {
    const real = await world.answer(1, place, {
      kind: 'ballot',
      ballot,
      seq: 0,
      headCertificate: undefined,
    })
    assert.ok(real.kind === 'promise' && real.statement.kind === 'promise')
    const { statement, signature } = real
    return [1, 2, 3].map((signer) => {
      if (signer === 1) return { statement, signature, lock: undefined }
      const said = { ...statement, signer }
      return {
        ...signStatement(said, (message) => signAs(world.cluster, signer, message)),
        lock: undefined,
      }
    })
  }

  it('refuses a step that goes back in time, or is older than what it rests on', async () => {
    world.now -= 3_000
    refused(await propose(use()), 'invalid', /older than the head/)
    world.now += 3_000
    await world.certify(place, use())
    world.now -= 3_000
    refused(await propose(use('33')), 'invalid', /back in time/)
    const other = await createWallet(world, 'KeyECDSA').catch((error: Error) => error.message)
    assert.match(String(other), /back in time/)
  })

  it('refuses a root step that names heads, and any other that names none, two or another stream', async () => {
    const [root] = use().body.heads
    assert.ok(root)
    const own = { stream: place.stream, seq: 0, step: root.step }
    const asked = [{ kind: 'use', evidence: signatureRequest(world, key) }] as const
    for (const heads of [[], [root, root], [own]]) {
      const drafted = world.draft(place, asked, (step) => ({ ...step, heads }))
      const answer = await propose(drafted)
      assert.equal(answer.kind, 'refusal')
      assert.match(toldAnswer(answer), /does not name the head of the root/)
    }
    const forked = { ...root, step: root.step.with(0, 1 ^ (root.step[0] ?? 0)) }
    const lying = world.draft(place, asked, (step) => ({ ...step, heads: [forked] }))
    refused(await propose(lying), 'invalid', /not certified/)
    const request = world.request({ path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } })
    const { facts } = request
    assert.ok(facts)
    const assignment = world.draft(
      world.root,
      [
        {
          kind: 'wallet',
          evidence: world.request({
            path: '/wallets',
            body: { network: 'KeyECDSA', signingKey: { id: key.name } },
          }),
        },
      ],
      (step) => ({ ...step, heads: [root] }),
    )
    const answer = await world.answer(1, world.root, world.propose(world.root, assignment.step))
    assert.match(toldAnswer(answer), /root step names a head/)
  })

  it('abstains when others show what it does not remember having said', async () => {
    const drafted = use()
    const { step } = drafted
    const { statement } = world.vote(1, place, step)
    const remembered = { ...statement, storeSequence: 10_000 }
    const own = signStatement(remembered, (message) => signAs(world.cluster, 1, message))
    const lock = world.lockBy([2, 3], place, step)
    const { kind: _, signer, bootId, storeSequence } = own.statement
    const voice = { signer, bootId, storeSequence, signature: own.signature }
    const shown = { ...lock, voices: [voice, ...lock.voices] }
    const unproven = { ...shown, voices: [{ ...voice, storeSequence: 20_000 }, ...lock.voices] }
    refused(await world.answer(1, place, { kind: 'lock', lock: unproven, step }), 'evidence')
    refused(await world.answer(1, place, { kind: 'lock', lock: shown, step }), 'abstaining')
    world.restart(1)
    refused(await propose(drafted), 'abstaining')
    const certificate = world.certificateBy(others, place, step)
    assert.equal((await world.adopt(1, place, { certificate, step })).kind, 'head')
    const reply = await world.session(1, signCall(place, drafted))
    assert.match(reply.kind === 'refused' ? reply.reason : '', /old one/)
  })

  it('abstains while it cannot tell the time', async () => {
    world.drift.set(1, 5_001)
    refused(await propose(use()), 'abstaining', /leapt/)
    refused(await propose(use()), 'abstaining', /leapt/)
    world.drift.set(1, 0)
    assert.equal((await propose(use())).kind, 'vote')
    const told = world.member(1).lines.filter((line) => line.includes('clock'))
    assert.deepEqual(
      told.map((line) => JSON.parse(line).event),
      ['clock-refused', 'clock'],
    )
  })

  it('is well again after a start with a clock of another century', async () => {
    world.drift.set(1, 36_500 * 24 * 60 * 60_000)
    world.restart(1)
    refused(await propose(use()), 'early', /not now/)
    world.pass(10_000)
    refused(await propose(use()), 'early', /not now/)
    world.drift.set(1, 0)
    world.restart(1)
    assert.equal((await propose(use())).kind, 'vote')
  })

  it('says on which side of its own time a step is, and what its time is', async () => {
    const ping = () => world.member(1).signer.answer({ kind: 'ping' })
    const { now } = world
    const early = use()
    world.now = now + 5_001
    const late = use()
    assert.deepEqual(await ping(), { kind: 'pong', time: undefined })
    world.now = now
    refused(await propose(late), 'late', /not now/)
    world.now = now + 5_001
    world.restart(1)
    refused(await propose(early), 'early', /not now/)
    assert.deepEqual(await ping(), { kind: 'pong', time: world.now })
  })

  it('signs a vote only as often, and with the sequence, as its store has been written', async () => {
    const { store } = world.member(1)
    const before = store.sequence
    const vote = await propose(use())
    assert.ok(vote.kind === 'vote')
    assert.equal(vote.statement.storeSequence, store.sequence)
    assert.ok(store.sequence > before)
    const written = store.sequence
    refused(await propose(use('33')), 'voted')
    assert.equal(store.sequence, written)
    assert.ok(equalBytes(vote.statement.bootId, world.member(1).signer.hello.bootId))
  })
})

describe('calls of one turn of the event loop', () => {
  const world = new World({ real: [1] })
  before(() => world.found())
  after(() => world.close())

  it('become durable in one transaction, and are answered after it', async () => {
    const key = await createKey(world, { scheme: 'ECDSA', curve: 'secp256k1' })
    const other = await createKey(world, { scheme: 'ECDSA', curve: 'secp256k1' })
    const { store } = world.member(1)
    const before = store.sequence
    const answers = await Promise.all(
      [key, other].map((one) => {
        const place = world.keyPlace(one.id)
        const evidence = signatureRequest(world, one)
        const { step } = world.draft(place, [{ kind: 'use', evidence }])
        return world.answer(1, place, world.propose(place, step))
      }),
    )
    assert.deepEqual(
      answers.map(({ kind }) => kind),
      ['vote', 'vote'],
    )
    assert.equal(store.sequence, before + 1)
  })
})
