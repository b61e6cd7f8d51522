import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import {
  keyStatementHash,
  pooledMs,
  readBirth,
  type PooledStatement,
} from '@quorate/authority/key-certificate'
import { pooledKeyTable, recordKey } from '@quorate/authority/records'
import { skewMsMax } from '@quorate/authority/step'
import { fromHex } from '@quorate/core/bytes'
import { keyEncryption } from '../kek.ts'
import { openShare, pooledAs } from '../share.ts'
import { carry, createWallet, everybody, generatePooled, poolCall, told } from '../testing/keys.ts'
import { signature, signCall } from '../testing/signing.ts'
import { signatureRequest } from '../testing/uses.ts'
import { World } from '../testing/world.ts'
import { expiredAfterMs } from '../sweep.ts'
import { birthsPerHourMax, pooledMax, pooledPerOrganizationMax } from './pool.ts'

const eddsa = { scheme: 'EdDSA', curve: 'ed25519' } as const
const message = fromHex('22'.repeat(32))

const read = (certificate: Uint8Array): PooledStatement => {
  const birth = readBirth(certificate)
  return birth.kind === 'pooled' ? birth.statement : assert.fail('it was asked for')
}
const nameOf = (certificate: Uint8Array) => keyStatementHash(readBirth(certificate).signed)

/** A request for a key, with what the pool has. */
function binding(world: World, facts: Uint8Array) {
  const evidence = { ...world.request({ path: '/keys', body: eddsa }), facts }
  const [name = ''] = world.know(evidence, 'key')
  return { evidence, name, id: world.id(name) }
}

/** That many shares of an organization, at this signer. */
function fill(world: World, index: number, organization: Uint8Array, count: number): void {
  const { store } = world.member(index)
  store.commit(() => {
    for (let i = 0; i < count; i++)
      store.shares.addPooled({
        statement: new Uint8Array(randomBytes(32)),
        organization,
        bindBefore: world.now + pooledMs,
        sealed: new Uint8Array(1),
      })
  })
}

describe('a key that is born ahead of need', () => {
  const world = new World()
  before(() => world.found())
  after(() => world.close())

  const pooled = (certificate: Uint8Array, index = 1) =>
    world.member(index).store.shares.pooled(nameOf(certificate))

  it('is nobody’s, and signs for whoever it is bound to', async () => {
    const certificate = await generatePooled(world, eddsa)
    const { organization } = world
    assert.deepEqual(read(certificate).terms, {
      ...{ organization, ...eddsa },
      bindBefore: world.now + pooledMs,
    })
    for (const index of world.indexes) {
      world.restart(index)
      assert.ok(pooled(certificate, index))
    }
    const { evidence, name, id } = binding(world, certificate)
    await world.put('key', evidence)
    for (const index of world.indexes) assert.equal(pooled(certificate, index), undefined)
    const asked = { raw: 'yes', master: 'no', untweaked: 'no' } as const
    const terms = { organization, key: id, request: id, owner: undefined, ...eddsa, ...asked }
    const key = { id, name, statement: { ...read(certificate), terms } as const }
    const place = world.keyPlace(id)
    const used = await world.put('use', signatureRequest(world, key), place.stream)
    await signature(world, key, { call: signCall(place, used), message })
    const other = { call: signCall(place, used, { quorum: [3, 4] }), message }
    await signature(world, key, other)
  })

  it('has its share sealed anew, for the key that it becomes and no other place', async () => {
    const certificate = await generatePooled(world, eddsa)
    const statement = nameOf(certificate)
    const { organization } = world
    const { store, kek } = world.member(1)
    const [as, kept] = [pooledAs({ signer: 1, organization, statement }), pooled(certificate)]
    assert.ok(kept && openShare(keyEncryption(kek), as, kept))
    const { evidence, id } = binding(world, certificate)
    await world.put('key', evidence)
    const sealed = store.shares.active({ key: id, statement })
    assert.ok(sealed)
    assert.equal(openShare(keyEncryption(kek), as, sealed), undefined)
    const of = { signer: 1, organization, key: id, owner: undefined, statement }
    assert.ok(openShare(keyEncryption(kek), of, sealed))
  })

  it('is bound by those who are there, and by the one who was not when he comes back', async () => {
    const certificate = await generatePooled(world, eddsa)
    const { evidence, id } = binding(world, certificate)
    const { step } = world.draft(world.root, [{ kind: 'key', evidence }])
    const seals = world.certificateBy([1, 2, 3], world.root, step)
    const late = { key: id, statement: nameOf(certificate) }
    const active = (index: number) => world.member(index).store.shares.active(late)
    for (const index of [1, 2, 3])
      await world.adopt(index, world.root, { certificate: seals, step })
    assert.ok(active(1) && !active(4) && pooled(certificate, 4))
    world.restart(4)
    await world.adopt(4, world.root, { certificate: seals, step })
    assert.ok(active(4))
    const { writes } = world.draft(world.root, [{ kind: 'key', evidence }])
    world.ledger.add(world.root.stream, { step, certificate: seals, writes })
  })

  it('is bound once, whatever the server proposes', async () => {
    const certificate = await generatePooled(world, eddsa)
    const [first, second] = [binding(world, certificate), binding(world, certificate)]
    await world.put('key', first.evidence)
    const asked = [{ kind: 'key', evidence: second.evidence }] as const
    assert.throws(() => world.draft(world.root, asked), /is bound already/)
  })

  it('is not begun without an organization, of no known kind, at another time or twice', async () => {
    const good = poolCall(world, eddsa)
    for (const [change, reason] of [
      [{ organization: new Uint8Array(32) }, /no such organization/],
      [{ scheme: 'ECDSA' }, /do not go together/],
      [{ time: world.now - skewMsMax - 1 }, /not asked for now/],
      [{ time: world.now + skewMsMax + 1 }, /not asked for now/],
    ] as const)
      assert.match(told(await world.session(1, { ...good, ...change })), reason)
    assert.equal((await world.session(1, good)).kind, 'packet')
    assert.match(told(await world.session(1, good)), /this session has been/)
    world.restart(1)
    assert.match(told(await world.session(1, good)), /this session has been/)
  })

  it('is forgotten when no step can bind it any more, and no sooner', async () => {
    const certificate = await generatePooled(world, eddsa)
    world.pass(pooledMs)
    await createWallet(world, 'KeyEdDSA')
    assert.ok(pooled(certificate))
    world.pass(1)
    await createWallet(world, 'KeyEdDSA')
    for (const index of world.indexes) assert.equal(pooled(certificate, index), undefined)
  })

  it('is kept for an old lock that names it, where nothing else is after a day', async () => {
    const [locked, orphan] = [
      await generatePooled(world, eddsa),
      await generatePooled(world, eddsa),
    ]
    const { evidence } = binding(world, locked)
    const { step, writes } = world.draft(world.root, [{ kind: 'key', evidence }])
    const names = writes.map(({ key }) => key)
    assert.ok(names.includes(recordKey(pooledKeyTable, nameOf(locked))))
    assert.equal((await world.answer(1, world.root, world.propose(world.root, step))).kind, 'vote')
    // With what the clock leaves for its own errors in a month.
    world.pass(pooledMs + expiredAfterMs + 3_600_000)
    assert.equal((await world.session(1, poolCall(world, eddsa))).kind, 'packet')
    assert.equal(pooled(orphan), undefined)
    assert.ok(pooled(locked))
  })
})

describe('the room for keys ahead of need', () => {
  const world = new World()
  before(() => world.found())
  after(() => world.close())

  const begin = (index: number) => world.session(index, poolCall(world, eddsa))

  it('is as large for every organization, and takes nothing from keys that are asked for', async () => {
    fill(world, 1, new Uint8Array(32).fill(9), pooledPerOrganizationMax)
    assert.equal((await begin(1)).kind, 'packet')
    fill(world, 1, world.organization, pooledPerOrganizationMax)
    assert.match(told(await begin(1)), /the pool is full/)
    await createWallet(world, 'KeyEdDSA')
  })

  it('has an end for all of them together', async () => {
    for (let i = 0; i < pooledMax / pooledPerOrganizationMax; i++)
      fill(world, 2, new Uint8Array(32).fill(i + 1), pooledPerOrganizationMax)
    assert.match(told(await begin(2)), /the pool is full/)
  })

  it('is not filled faster than so many in an hour', async () => {
    const { store } = world.member(4)
    const hour = Math.floor(world.now / 3_600_000)
    const { organization } = world
    store.commit(() => {
      for (let i = store.shares.countBirth({ organization, hour }); i < birthsPerHourMax; i++)
        store.shares.countBirth({ organization, hour })
    })
    assert.match(told(await begin(4)), /too many keys were born/)
    world.pass(3_600_000)
    assert.equal((await begin(4)).kind, 'packet')
  })

  it('is looked at when a birth ends, since many begin at once', async () => {
    const fresh = new World()
    await fresh.found()
    const call = poolCall(fresh, eddsa)
    const first = await everybody(fresh, (index) => fresh.session(index, call))
    fill(fresh, 1, fresh.organization, pooledPerOrganizationMax)
    const endings = await carry(fresh, first)
    assert.match(told(endings.get(1)), /the pool is full/)
    assert.equal(endings.get(2)?.kind, 'certified')
    fresh.close()
  })
})
