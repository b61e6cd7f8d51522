import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, it } from 'node:test'
import { decodeBody, encodeBody } from '@quorate/authority/body'
import { erased } from '@quorate/authority/erasure'
import { challengeOf, requestHash, type Preimage } from '@quorate/authority/request'
import { encodeStep, type ErasedEvidence } from '@quorate/authority/step'
import { completed, openCompletion } from '@quorate/authority/testing/completion'
import { newKeyCredential } from '@quorate/authority/testing/key-credential'
import { idOf, nameOf } from '@quorate/core/id'
import { createKey, type Key } from './testing/keys.ts'
import type { Drafted, Place } from './testing/ledger.ts'
import type { Person } from './testing/requests.ts'
import { toldAnswer, World, type Member } from './testing/world.ts'
import { rebuildStore } from './store/rebuild.ts'

const words = ['bob-7c1f@example.test', 'external-7c1f', 'payment-7c1f', 'open-7c1f']
const hash = (byte: string, externalId: string) => ({
  ...{ kind: 'Hash', hash: `0x${byte.repeat(32)}` },
  externalId,
})

/** One organization, to which things happen in turn. Signer 4 is away while Bob is erased. */
describe('an erasure', () => {
  const world = new World()
  let key: Key
  let bob: Person & { readonly name: string }
  let used: Drafted
  let away: Member
  before(async () => {
    await world.found()
    key = await createKey(world, { scheme: 'EdDSA', curve: 'ed25519' })
    bob = await join()
  })
  after(() => world.close())

  async function join() {
    const { organization } = world
    const first = newKeyCredential()
    const body = { email: words[0], externalId: words[1], kind: 'CustomerEmployee' }
    const invited = world.request({ path: '/auth/users', body: { ...body, publicKey: first.pem } })
    const [name = ''] = world.know(invited, 'user')
    await world.put('user', invited)
    const user = idOf(requestHash(invited.preimage), 'user')
    const times = { issuedAt: world.now, signBefore: world.now + 60_000 }
    const way = { purpose: 'register', path: '/auth/registration' } as const
    const open = openCompletion({
      ...{ ...way, organization, user, ...times, executeBefore: world.now + 60_000 },
    })
    const brought = { firstFactorCredential: first.create(challengeOf(open.preimage)) }
    await world.put('registration', completed(open, brought))
    const permission = [...world.ids.keys()].find((id) => id.startsWith('pm-')) ?? ''
    const assigned = { path: `/permissions/${permission}/assignments`, body: { identityId: name } }
    await world.put('assignment', world.request(assigned))
    const { key: privateKey, spki, pem } = first
    return { name, organization, user, credential: { privateKey, spki, pem } }
  }

  const ofBob = (method: string, path: string) => {
    const subjects: Preimage['subjects'] = [{ role: 'userId', id: bob.user }]
    return world.request({ path, body: {}, change: { method, subjects } })
  }
  const draftUse = (byte: string, externalId: string) => {
    const asked = world.request(
      { path: `/keys/${key.name}/signatures`, body: hash(byte, externalId) },
      bob,
    )
    return world.draft(world.keyPlace(key.id), [{ kind: 'use', evidence: asked }])
  }
  const filesOf = (index: number) => {
    const file = world.storeFile(index)
    return ['', '-wal'].map((end) => `${file}${end}`).filter((one) => existsSync(one))
  }
  const traces = (index: number) =>
    filesOf(index).flatMap((file) => {
      const bytes = readFileSync(file)
      return words.filter((word) => bytes.includes(word))
    })
  const isSwept = (index: number) => world.member(index).store.sweeps.next() === undefined
  async function catchUp(index: number, place: Place) {
    for (const { step, certificate } of world.ledger.of(place.stream))
      assert.equal(toldAnswer(await world.adopt(index, place, { step, certificate })), 'head')
  }
  /** What a peer has kept, and not what this server has. */
  async function handOn(index: number, place: Place) {
    const { log } = world.member(1).store
    for (const { step, certificate } of world.ledger.of(place.stream)) {
      const bytes = log.stepAt(place, step.seq)?.body ?? assert.fail('a peer lacks a step')
      const told = await world.adopt(index, place, { certificate, step: { ...step, bytes } })
      assert.equal(toldAnswer(told), 'head')
    }
  }
  async function swept(...indexes: readonly number[]) {
    for (let i = 0; !indexes.every(isSwept); i++) {
      assert.ok(i < 3_000, 'the stores are swept within half a minute')
      await sleep(10)
    }
  }

  it('begins with stores that know who somebody is', async () => {
    used = draftUse('22', 'payment-7c1f')
    await world.certify(world.keyPlace(key.id), used)
    // One that is voted for here and will never be certified.
    const open = draftUse('33', 'open-7c1f')
    const place = world.keyPlace(key.id)
    assert.equal(toldAnswer(await world.answer(1, place, world.propose(place, open.step))), 'vote')
    assert.deepEqual(new Set(traces(1)), new Set(words))
    assert.equal(new Set(traces(4)).size, 3)
    assert.ok(bob.name.startsWith('us-') && nameOf('user', bob.user) === bob.name)
  })

  it('leaves nothing of him in the files of a signer, open votes included', async () => {
    await world.put('userStatus', ofBob('DELETE', `/auth/users/${bob.name}`))
    away = world.member(4)
    world.leave(4)
    await world.put('erasure', ofBob('PUT', `/auth/users/${bob.name}/erase`))
    await swept(1, 2, 3)
    for (const index of [1, 2, 3]) assert.deepEqual(traces(index), [])
    // Nor what would be written back with the next vote.
    const { steps } = world.member(1).store.log.voter(world.keyPlace(key.id))
    assert.equal(steps.length, 1)
    for (const { bytes } of steps)
      assert.ok(words.every((word) => !Buffer.from(bytes).includes(word)))
    assert.equal(new Set(traces(4)).size, 3)
  })

  it('goes on after a crash', async () => {
    const { store } = world.member(2)
    store.commit(() => store.sweeps.begin(world.organization))
    world.restart(2)
    await swept(2)
    assert.deepEqual(traces(2), [])
  })

  it('leaves him no rights, and lets nobody erase the founder', () => {
    assert.throws(() => draftUse('44', 'more'), /the user is not active/)
    const { user } = world.administrator
    const subjects = [{ role: 'userId', id: user }]
    const path = `/auth/users/${nameOf('user', user)}/erase`
    const evidence = world.request({ path, body: {}, change: { method: 'PUT', subjects } })
    assert.throws(() => world.draft(world.root, [{ kind: 'erasure', evidence }]), /the founder/)
  })

  it('reaches who was away', async () => {
    world.open(4, { kek: away.kek })
    await catchUp(4, world.root)
    await catchUp(4, world.keyPlace(key.id))
    assert.equal(world.member(4).store.log.newestSeq(world.keyPlace(key.id)), 0)
    await swept(4)
    assert.deepEqual(traces(4), [])
  })

  it('passes no other request off as his, where a signer knows nothing yet', async () => {
    const { kek, file } = world.member(3)
    world.leave(3)
    world.open(3, { kek, file: `${file}.new` })
    await handOn(3, world.root)
    const { body: step } = used
    const [item] = decodeBody(used.step.bytes).evidence
    const left = item && erased(item)
    assert.ok(left)
    const other = { ...left, payload: left.payload.replaceAll('22', '66') }
    assert.notEqual(other.payload, left.payload)
    const beside = (changed: ErasedEvidence) => {
      const bytes = encodeBody(encodeStep(step), [changed])
      return { ...used.step, bytes }
    }
    const place = world.keyPlace(key.id)
    const [entry] = world.ledger.of(place.stream)
    assert.ok(entry)
    for (const forged of [other, { ...left, traces: left.traces.toReversed() }]) {
      const answer = await world.adopt(3, place, { ...entry, step: beside(forged) })
      assert.match(toldAnswer(answer), /the certified step is not here/)
      assert.equal(world.member(3).store.log.newestSeq(place), -1)
    }
  })

  it('lets a newcomer keep no more than the others, and work out the same', async () => {
    await swept(3)
    // This server has kept everything.
    await catchUp(3, world.keyPlace(key.id))
    for (const end of ['', '-wal'])
      for (const word of words)
        assert.ok(!readFileSync(`${world.member(3).file}${end}`).includes(word))
    const files = [world.member(1).file, world.member(3).file]
    for (const one of [1, 3]) world.leave(one)
    const [kept, made] = files.map((one) => {
      const { differences, ...counted } = rebuildStore(one, world.rules, { write: false })
      assert.deepEqual(differences, [])
      return counted
    })
    assert.deepEqual(made, kept)
  })
})
