import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { keyStatementHash, readKeyCertificate } from '@quorate/authority/key-certificate'
import { requestHash } from '@quorate/authority/request'
import { factsOf } from '@quorate/authority/reduce/registration-wallets'
import { requestOfEvidence } from '@quorate/authority/reduce/cause'
import type { Evidence } from '@quorate/authority/step'
import { fromHex, toHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { sealPacket, type Packet } from '@quorate/wire/packet'
import { keyEncryption } from '../kek.ts'
import { openShare } from '../share.ts'
import { signAs } from '../testing/cluster.ts'
import { carry, createKey, createWallet, everybody, generate, told } from '../testing/keys.ts'
import { createServiceAccount, enrolEndUser, registration } from '../testing/newcomers.ts'
import { makeCredential, signWithinMs, withPayload, type Person } from '../testing/requests.ts'
import { signature, signCall } from '../testing/signing.ts'
import { signatureRequest } from '../testing/uses.ts'
import { World } from '../testing/world.ts'
import { expiredAfterMs } from '../sweep.ts'
import {
  pendingMax,
  pendingPerKeyMax,
  pendingPerNewcomerMax,
  pendingPerOrganizationMax,
} from './generate.ts'

/** With what the clock leaves for its own errors. */
const longAfterMs = signWithinMs + expiredAfterMs + 120_000

const eddsa = { scheme: 'EdDSA', curve: 'ed25519' }

describe('a key generation', () => {
  const world = new World()
  before(() => world.found())
  after(() => world.close())

  const call = (evidence: Evidence, nonce = new Uint8Array(randomBytes(32))) =>
    ({ kind: 'generate', organization: world.organization, evidence, index: 0, nonce }) as const
  const begin = (evidence: Evidence) => world.session(1, call(evidence))
  const keyRequest = () => world.request({ path: '/keys', body: eddsa })
  const keyOf = ({ preimage }: Evidence) => idOf(requestHash(preimage), 'key')
  const pending = (evidence: Evidence, index = 1) =>
    world.member(index).store.shares.countPending(keyOf(evidence))

  it('is not begun without a request that its user has signed and may make', async () => {
    const good = keyRequest()
    const [assertion] = good.assertions
    assert.ok(assertion)
    const flipped = assertion.signature.with(0, 1 ^ (assertion.signature[0] ?? 0))
    const stranger = { ...world.administrator, credential: makeCredential() }
    const change = { issuedAt: world.now - signWithinMs - 1, signBefore: world.now - 1 }
    for (const [evidence, reason] of [
      [{ ...good, assertions: [{ ...assertion, signature: flipped }] }, /signature is not valid/],
      [{ ...good, assertions: [] }, /nobody has signed/],
      [withPayload(good, () => ({ scheme: 'ECDSA', curve: 'secp256k1' })), /not the one that was/],
      [world.request({ path: '/keys', body: eddsa }, stranger), /credential is not active/],
      [world.request({ path: '/keys', body: eddsa, change }), /expired/],
      [world.request({ path: '/keys', body: { ...eddsa, storeId: 'st-1' } }), /not supported/],
      [world.request({ path: '/nowhere', body: {} }), /changes anything/],
    ] as const)
      assert.match(told(await begin(evidence)), reason)
    const elsewhere = { ...call(good), organization: new Uint8Array(32) }
    assert.match(told(await world.session(1, elsewhere)), /another organization/)
  })

  it('is begun once under one id', async () => {
    const evidence = keyRequest()
    const once = call(evidence)
    assert.equal((await world.session(1, once)).kind, 'packet')
    assert.match(told(await world.session(1, once)), /this session has been/)
    world.restart(1)
    assert.match(told(await world.session(1, once)), /this session has been/)
  })

  it('is over when its time is, whoever brings the next packets', async () => {
    const once = call(keyRequest())
    const first = await everybody(world, (index) => world.session(index, once))
    world.pass(60_001)
    for (const ending of (await carry(world, first)).values())
      assert.match(told(ending), /has expired/)
  })

  it('leaves each signer with a share that is sealed before it says so', async () => {
    const asked = keyRequest()
    const facts = await generate(world, asked)
    const evidence = { ...asked, facts }
    for (const index of world.indexes) {
      assert.equal(pending(asked, index), 1)
      world.restart(index)
      assert.equal(pending(asked, index), 1)
    }
    await world.put('key', evidence)
    for (const index of world.indexes) assert.equal(pending(asked, index), 0)
    assert.match(told(await begin(asked)), /request has been used/)
  })

  it('puts the certified one of several attempts in force, and forgets the others', async () => {
    const asked = keyRequest()
    await generate(world, asked)
    const facts = await generate(world, asked)
    assert.equal(pending(asked), 2)
    world.know(asked, 'key')
    await world.put('key', { ...asked, facts })
    assert.equal(pending(asked), 0)
  })

  it('is refused when too many attempts wait for their certificate', async () => {
    const asked = keyRequest()
    for (let i = 0; i < pendingPerKeyMax; i++) await generate(world, asked)
    assert.match(told(await begin(asked)), /too many keys are waiting/)
  })

  it('is not refused for what other organizations have left behind, by the day after at the latest', async () => {
    const { store } = world.member(1)
    const leave = (organization: number, count: number, signBefore: number) =>
      store.commit(() => {
        for (let i = 0; i < count; i++)
          store.shares.addPending({
            key: new Uint8Array(randomBytes(32)),
            statement: new Uint8Array(randomBytes(32)),
            organization: new Uint8Array(32).fill(organization),
            newcomer: undefined,
            signBefore,
            sealed: new Uint8Array(1),
          })
      })
    const left = pendingMax / pendingPerOrganizationMax
    for (let i = 1; i <= left; i++) leave(i, pendingPerOrganizationMax, world.now + signWithinMs)
    assert.match(told(await begin(keyRequest())), /too many keys are waiting/)
    world.pass(longAfterMs)
    assert.equal((await begin(keyRequest())).kind, 'packet')
    const expired = world.now - expiredAfterMs
    assert.ok(store.shares.oldestPending(expired, pendingMax).length < pendingMax)
  })

  it('is refused to an organization that leaves too many waiting, and to no other', async () => {
    const { store } = world.member(2)
    const leave = (organization: Uint8Array) =>
      store.commit(() => {
        for (let i = 0; i < pendingPerOrganizationMax; i++)
          store.shares.addPending({
            key: new Uint8Array(randomBytes(32)),
            statement: new Uint8Array(randomBytes(32)),
            organization,
            newcomer: undefined,
            signBefore: world.now + signWithinMs,
            sealed: new Uint8Array(1),
          })
      })
    leave(new Uint8Array(32).fill(9))
    assert.equal((await world.session(2, call(keyRequest()))).kind, 'packet')
    leave(world.organization)
    assert.match(told(await world.session(2, call(keyRequest()))), /too many keys are waiting/)
    world.pass(longAfterMs)
  })

  it('ends without a share when somebody lies, and says who', async () => {
    const asked = keyRequest()
    const once = call(asked)
    const first = await everybody(world, (index) => world.session(index, once))
    const lie = (packet: Packet): Packet => {
      const { header, parts } = packet
      if (header.from !== 4 || header.round !== 2) return packet
      const bodies = parts.map(({ to, body = new Uint8Array() }) => ({ to, body: body.fill(7) }))
      return sealPacket(header, bodies, (message) => signAs(world.cluster, 4, message))
    }
    const endings = await carry(world, first, { tamper: lie })
    for (const index of [1, 2, 3]) {
      const ending = endings.get(index)
      assert.deepEqual(ending?.kind === 'aborted' && ending.culprits, [4])
      assert.equal(pending(asked, index), 0)
    }
  })

  it('has its orphans swept once no step can name them, and never a share that is owned', async () => {
    const orphan = keyRequest()
    await generate(world, orphan)
    const key = await createKey(world, eddsa)
    const wait = async (ms: number) => {
      world.pass(ms)
      await createWallet(world, 'KeyEdDSA')
    }
    await wait(signWithinMs)
    assert.equal(pending(orphan), 1)
    await wait(1)
    for (const index of world.indexes) assert.equal(pending(orphan, index), 0)
    const place = world.keyPlace(key.id)
    const used = await world.put('use', signatureRequest(world, key), place.stream)
    const message = fromHex('22'.repeat(32))
    await signature(world, key, { call: signCall(place, used), message })
  })
})

describe('a share whose key nobody has put in force', () => {
  const world = new World()
  before(() => world.found())
  after(() => world.close())

  const call = (evidence: Evidence) => {
    const nonce = new Uint8Array(randomBytes(32))
    return {
      kind: 'generate',
      organization: world.organization,
      evidence,
      index: 0,
      nonce,
    } as const
  }
  const keyRequest = () => world.request({ path: '/keys', body: eddsa })
  const keyOf = ({ preimage }: Evidence) => idOf(requestHash(preimage), 'key')
  const pending = (evidence: Evidence) => world.member(1).store.shares.countPending(keyOf(evidence))

  it('is kept as long as an old lock may still do so, and no longer than a day otherwise', async () => {
    const locked = keyRequest()
    const facts = await generate(world, locked)
    const orphan = keyRequest()
    await generate(world, orphan)
    const { step } = world.draft(world.root, [{ kind: 'key', evidence: { ...locked, facts } }])
    const answer = await world.answer(1, world.root, world.propose(world.root, step))
    assert.equal(answer.kind, 'vote')
    world.pass(longAfterMs)
    assert.equal((await world.session(1, call(keyRequest()))).kind, 'packet')
    assert.equal(pending(orphan), 0)
    assert.equal(pending(locked), 1)
    const certificate = world.certificateBy([2, 3, 4], world.root, step)
    for (const index of world.indexes)
      assert.equal((await world.adopt(index, world.root, { certificate, step })).kind, 'head')
    const statement = keyStatementHash(readKeyCertificate(facts).signed)
    for (const index of world.indexes) {
      const { shares } = world.member(index).store
      assert.ok(shares.active({ key: keyOf(locked), statement }))
    }
  })
})

describe('the keys that a newcomer brings', () => {
  const world = new World()
  let backend: Person
  before(async () => {
    await world.found()
    backend = await createServiceAccount(world)
  })
  after(() => world.close())

  const networks = ['KeyEdDSA', 'KeyECDSA']
  const begin = (evidence: Evidence, index = 0) => {
    const nonce = new Uint8Array(randomBytes(32))
    const { organization } = world
    return world.session(1, { kind: 'generate', organization, evidence, index, nonce })
  }
  const waiting = (newcomer: Uint8Array, index = 1) => {
    const expired = world.now - expiredAfterMs
    return world.member(index).store.shares.countOfNewcomer({ newcomer, expired })
  }

  /** At the first signer. */
  const leave = (newcomer: Uint8Array, count: number) => {
    const { store } = world.member(1)
    store.commit(() => {
      for (let i = 0; i < count; i++)
        store.shares.addPending({
          key: new Uint8Array(randomBytes(32)),
          statement: new Uint8Array(randomBytes(32)),
          organization: world.organization,
          newcomer,
          signBefore: world.now + signWithinMs,
          sealed: new Uint8Array(1),
        })
    })
  }

  it('are born one by one from what he hands in, and come into force with him in one step', async () => {
    const user = await enrolEndUser(world, backend)
    const asked = registration(world, user, networks)
    const certificates = [await generate(world, asked, 0), await generate(world, asked, 1)]
    for (const index of world.indexes) assert.equal(waiting(user, index), 2)
    await world.put('registration', { ...asked, facts: factsOf(certificates) })
    for (const [i, certificate] of certificates.entries()) {
      const { statement, signed } = readKeyCertificate(certificate)
      const key = idOf(requestOfEvidence(asked), 'key', i)
      assert.deepEqual([statement.terms.key, statement.terms.owner], [key, user])
      const name = { key, statement: keyStatementHash(signed) }
      for (const index of world.indexes)
        assert.ok(world.member(index).store.shares.active(name), `signer ${index}`)
    }
    for (const index of world.indexes) assert.equal(waiting(user, index), 0)
    assert.match(told(await begin(asked)), /registered already/)
  })

  it('are not begun for what was not made for his challenge, nor beyond his list', async () => {
    const user = await enrolEndUser(world, backend)
    const [asked, other] = [1, 2].map(() => registration(world, user, networks))
    assert.ok(asked && other)
    assert.match(told(await begin(asked, 2)), /makes no such key/)
    const { preimage, salt } = asked
    assert.match(told(await begin({ ...other, preimage, salt })), /not made for this challenge/)
    assert.match(told(await begin(registration(world, user, ['Nowhere']))), /network is unknown/)
    const { user: administrator } = world.administrator
    assert.match(told(await begin(registration(world, administrator, networks))), /registered/)
    const employed = withPayload(asked, (body) => ({ ...body, wallets: [] }))
    assert.match(told(await begin(employed)), /makes no such key/)
  })

  it('are refused to one for whom too many wait, by whatever challenge, and to nobody else', async () => {
    const [user, other] = [await enrolEndUser(world, backend), await enrolEndUser(world, backend)]
    await generate(world, registration(world, user, networks), 1)
    await createKey(world, eddsa)
    assert.deepEqual([waiting(user), waiting(other)], [1, 0])
    leave(user, pendingPerNewcomerMax - 2)
    assert.equal((await begin(registration(world, user, networks))).kind, 'packet')
    leave(user, 1)
    for (let i = 0; i < 2; i++)
      assert.match(
        told(await begin(registration(world, user, networks), i)),
        /too many keys are waiting/,
      )
    assert.equal((await begin(registration(world, other, networks))).kind, 'packet')
    world.pass(longAfterMs)
    assert.equal((await begin(registration(world, user, networks))).kind, 'packet')
  })

  it('leave room for others when they all begin at once, since each end is counted too', async () => {
    const user = await enrolEndUser(world, backend)
    const asked = registration(world, user, networks)
    const nonce = new Uint8Array(randomBytes(32))
    const { organization } = world
    const opening = { kind: 'generate', organization, evidence: asked, index: 0, nonce } as const
    const first = await everybody(world, (index) => world.session(index, opening))
    leave(user, pendingPerNewcomerMax)
    const endings = await carry(world, first)
    assert.match(told(endings.get(1)), /too many keys are waiting/)
    assert.equal(endings.get(2)?.kind, 'certified')
  })
})

describe('a share at rest', () => {
  const world = new World()
  before(() => world.found())
  after(() => world.close())

  it('can be read with its own key and for its own place alone', async () => {
    const asked = world.request({ path: '/keys', body: eddsa })
    const facts = await generate(world, asked)
    const [key = ''] = world.know(asked, 'key')
    await world.put('key', { ...asked, facts })
    const { store, kek } = world.member(1)
    const statement = keyStatementHash(readKeyCertificate(facts).signed)
    const name = { key: world.id(key), statement }
    const sealed = store.shares.active(name)
    assert.ok(sealed)
    const { organization } = world
    const of = { signer: 1, organization, owner: undefined, ...name }
    const share = openShare(keyEncryption(kek), of, sealed)
    assert.ok(share)
    assert.equal(openShare(keyEncryption(randomBytes(32)), of, sealed), undefined)
    const other = new Uint8Array(32).fill(1)
    for (const change of [
      { signer: 2 },
      { organization: other },
      { key: other },
      { owner: other },
      { statement: other },
    ])
      assert.equal(openShare(keyEncryption(kek), { ...of, ...change }, sealed), undefined)

    const [file, lines] = [world.member(1).file, world.member(1).lines.join()]
    store.close()
    const bytes = readFileSync(file)
    world.open(1, { kek, file })
    for (const secret of [share.secret, kek]) {
      assert.equal(bytes.indexOf(secret), -1)
      assert.equal(bytes.indexOf(toHex(secret)), -1)
      assert.equal(lines.indexOf(toHex(secret)), -1)
    }
    assert.notEqual(bytes.indexOf(sealed), -1)
  })
})
