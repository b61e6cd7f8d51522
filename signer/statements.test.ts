import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { type Asked } from '@quorate/authority/reduce/asked'
import { requestOfEvidence } from '@quorate/authority/reduce/cause'
import { freezeOf, type Statement } from '@quorate/authority/statement'
import { newKeyCredential } from '@quorate/authority/testing/key-credential'
import { newPasskey } from '@quorate/authority/testing/passkey'
import type { WholeEvidence } from '@quorate/authority/step'
import { toHex } from '@quorate/core/bytes'
import { idOf, nameOf } from '@quorate/core/id'
import { deciding, holdEverything, holdUse, serviceAccount } from './testing/approvals.ts'
import { createKey, createWallet, type Key, type Wallet } from './testing/keys.ts'
import type { Drafted, Place } from './testing/ledger.ts'
import {
  addCredential,
  adding,
  administratorBy,
  recovering,
  waitSetting,
} from './testing/recovery.ts'
import { makeCredential, type Person } from './testing/requests.ts'
import { signCall } from './testing/signing.ts'
import { said, type Said } from './testing/statements.ts'
import { transferRequest } from './testing/uses.ts'
import { toldAnswer, World } from './testing/world.ts'

/** One real signer, who alone has the statements: the log knows of none of them. */
function scene() {
  const world = new World({ real: [1] })
  const accept = ({ signed }: Said) => {
    const accepted = world.member(1).signer.accept(signed)
    return accepted.ok ? 'accepted' : accepted.reason
  }
  const take = (words: Parameters<typeof said>[1], person: Person = world.administrator) => {
    const one = said(person, words)
    assert.equal(accept(one), 'accepted')
    return one
  }
  const vote = async ({ place, drafted }: Wish) => {
    const answer = await world.answer(1, place, world.propose(place, drafted.step))
    // A request is refused and not a step: what is held against that ends nobody's request.
    if (answer.kind === 'refusal') assert.equal(answer.item, 0)
    return toldAnswer(answer)
  }
  const root = (kind: Asked['kind'], evidence: Asked['evidence']): Wish => ({
    place: world.root,
    drafted: world.draft(world.root, [{ kind, evidence }]),
  })
  const use = (wallet: Wallet, nonce: bigint, person?: Person): Wish => {
    const evidence = transferRequest(world, wallet, { nonce, ...(person && { person }) })
    const place = world.keyPlace(wallet.key.id)
    return { place, drafted: world.draft(place, [{ kind: 'use', evidence }]) }
  }
  const aKey = (person?: Person) => {
    const body = { scheme: 'EdDSA', curve: 'ed25519' }
    return world.request({ path: '/keys', body }, person)
  }
  return { world, accept, take, vote, root, use, aKey }
}
const dayMs = 24 * 60 * 60_000

type Wish = { readonly place: Place; readonly drafted: Drafted }

/** Whatever a signer says who is asked to take part in making a key. */
async function birth(world: World, evidence: WholeEvidence): Promise<string> {
  const nonce = new Uint8Array(randomBytes(32))
  const { organization } = world
  const call = { kind: 'generate', organization, evidence, index: 0, nonce } as const
  const reply = await world.session(1, call)
  return reply.kind === 'refused' ? reply.reason : reply.kind
}

const freezing = (world: World, person?: Person, body = {}) =>
  world.request({ path: '/orgs/freezes', body }, person)

function lifting(world: World, freezeId: Uint8Array, person?: Person) {
  const path = `/orgs/freezes/${nameOf('freeze', freezeId)}`
  const change = { method: 'DELETE', subjects: [{ role: 'freezeId', id: freezeId }] }
  return world.request({ path, body: {}, change }, person)
}

const removing = (world: World, { id, name }: Key, person?: Person) =>
  world.request(
    {
      ...{ path: `/keys/${name}`, body: {} },
      change: { method: 'DELETE', subjects: [{ role: 'keyId', id }] },
    },
    person,
  )

/** Of a service account. */
function statusOf(world: World, user: Uint8Array, status: 'archived' | 'inactive') {
  const path = `/auth/service-accounts/${nameOf('user', user)}`
  const method = status === 'archived' ? 'DELETE' : 'PUT'
  return world.request({
    ...{ path: status === 'archived' ? path : `${path}/deactivate`, body: {} },
    change: { method, subjects: [{ role: 'serviceAccountId', id: user }] },
  })
}

function cancelling(world: World, recovery: Uint8Array, person?: Person) {
  const path = `/auth/recoveries/${nameOf('recovery', recovery)}`
  const change = { method: 'DELETE', subjects: [{ role: 'recoveryId', id: recovery }] }
  return world.request({ path, body: {}, change }, person)
}

describe('a statement that this signer has kept', () => {
  it('of a key stops its wallet: last rounds of what was agreed before, every vote after, over a restart', async () => {
    const { world, take, vote, use, aKey } = scene()
    await world.found()
    const wallet = await createWallet(world, 'EthereumSepolia')
    const earlier = use(wallet, 0n)
    await world.certify(earlier.place, earlier.drafted)
    take({ kind: 'freezeKey', target: wallet.key.id })
    for (const life of ['this', 'the next']) {
      if (life === 'the next') world.restart(1)
      const late = await world.session(1, signCall(earlier.place, earlier.drafted))
      assert.match(late.kind === 'refused' ? late.reason : late.kind, /the key is frozen/)
      assert.match(await vote(use(wallet, 1n)), /the key is frozen/)
    }
    const other = await createWallet(world, 'EthereumSepolia')
    assert.equal(await vote(use(other, 0n)), 'vote')
    assert.equal(await birth(world, aKey()), 'packet')
    world.close()
  })

  it('of a key stops its end as well, which nobody could undo', async () => {
    const { world, take, vote, root } = scene()
    await world.found()
    const [{ key }, other] = [
      await createWallet(world, 'EthereumSepolia'),
      await createWallet(world, 'EthereumSepolia'),
    ]
    take({ kind: 'freezeKey', target: key.id })
    assert.match(await vote(root('keyStatus', removing(world, key))), /the key is frozen/)
    assert.equal(await vote(root('keyStatus', removing(world, other.key))), 'vote')
    world.close()
  })

  it('of the organization stops what ends for good, and not what ends for a time', async () => {
    const { world, take, vote, root } = scene()
    await world.found()
    const [account, wallet] = [
      await serviceAccount(world),
      await createWallet(world, 'EthereumSepolia'),
    ]
    take({ kind: 'freezeOrganization', target: world.organization })
    const frozen = /the organization is frozen/
    assert.match(await vote(root('keyStatus', removing(world, wallet.key))), frozen)
    const status = (to: 'archived' | 'inactive') =>
      vote(root('userStatus', statusOf(world, account.user, to)))
    assert.match(await status('archived'), frozen)
    assert.equal(await status('inactive'), 'vote')
    world.close()
  })

  it('of the organization stops everything but what takes away, until the log says that it was lifted', async () => {
    const { world, take, vote, use, root, aKey } = scene()
    await world.found()
    const wallet = await createWallet(world, 'EthereumSepolia')
    const { hash, signed } = take({ kind: 'freezeOrganization', target: world.organization })
    assert.match(await vote(use(wallet, 0n)), /the organization is frozen/)
    const settings = root('settings', waitSetting(world, dayMs))
    assert.match(await vote(settings), /the organization is frozen/)
    assert.match(await birth(world, aKey()), /the organization is frozen/)
    const body = { statement: toHex(signed) }
    await world.put('freeze', world.request({ path: '/orgs/freezes', body }))
    await world.put('freeze', lifting(world, freezeOf(hash)))
    assert.equal(await vote(use(wallet, 0n)), 'vote')
    world.close()
  })

  it('of an approval denies it for ever: no approver is heard any more, and none was, over a restart', async () => {
    const { world, take, vote } = scene()
    await world.found()
    await holdEverything(world)
    const account = await serviceAccount(world)
    const wallet = await createWallet(world, 'EthereumSepolia')
    const place = world.keyPlace(wallet.key.id)
    const ask = (nonce: bigint) => transferRequest(world, wallet, { nonce, person: account })
    const item = (kind: 'use' | 'decision', evidence: WholeEvidence): Wish => ({
      place,
      drafted: world.draft(place, [{ kind, evidence }]),
    })
    const [approvedOne, pending, other] = [ask(0n), ask(1n), ask(2n)]
    const approved = await holdUse(world, wallet.key, approvedOne)
    const target = await holdUse(world, wallet.key, pending)
    const free = await holdUse(world, wallet.key, other)
    for (const one of [approved, free])
      await world.put('decision', deciding(world, one, 'Approved'), place.stream)
    take({ kind: 'denyApproval', target: approved })
    take({ kind: 'denyApproval', target }, account)
    const decision = deciding(world, target, 'Approved')
    for (const life of ['this', 'the next']) {
      if (life === 'the next') world.restart(1)
      assert.match(await vote(item('use', approvedOne)), /the request was denied/)
      assert.match(await vote(item('decision', decision)), /the approval is not pending/)
    }
    assert.equal(await vote(item('use', other)), 'vote')
    world.close()
  })

  it('of an approval stops the last round of what was agreed before it', async () => {
    const world = new World()
    await world.found()
    const key = await createKey(world, { scheme: 'EdDSA', curve: 'ed25519' })
    await holdEverything(world)
    const account = await serviceAccount(world)
    const place = world.keyPlace(key.id)
    const agreed = async () => {
      const hash = `0x${toHex(randomBytes(32))}`
      const path = `/keys/${key.name}/signatures`
      const evidence = world.request({ path, body: { kind: 'Hash', hash } }, account)
      const approval = await holdUse(world, key, evidence)
      await world.put('decision', deciding(world, approval, 'Approved'), place.stream)
      const drafted = world.draft(place, [{ kind: 'use', evidence }])
      await world.certify(place, drafted)
      return { approval, call: signCall(place, drafted) }
    }
    const [denied, other] = [await agreed(), await agreed()]
    const { signed } = said(world.administrator, { kind: 'denyApproval', target: denied.approval })
    assert.ok(world.member(1).signer.accept(signed).ok)
    const late = await world.session(1, denied.call)
    assert.match(late.kind === 'refused' ? late.reason : late.kind, /the request was denied/)
    assert.equal((await world.session(1, other.call)).kind, 'packet')
    world.close()
  })

  it('of a user stops what he asks for, and lets him lift nothing', async () => {
    const { world, accept, take, vote, use, root } = scene()
    await world.found()
    const account = await serviceAccount(world)
    const wallet = await createWallet(world, 'EthereumSepolia')
    take({ kind: 'freezeUser', target: account.user })
    assert.match(await vote(use(wallet, 0n, account)), /the user is frozen/)
    assert.equal(await vote(use(wallet, 0n)), 'vote')
    const end = root('keyStatus', removing(world, wallet.key, account))
    assert.match(await vote(end), /the user is frozen/)
    // What is his own he may still take away, as in the log.
    take({ kind: 'revokeToken', target: account.token.id }, account)
    const everybody = { kind: 'freezeUser', target: world.administrator.user } as const
    const last = said(world.administrator, everybody)
    assert.equal(accept(last), 'nobody would be left to lift it')
    const freeze = freezing(world)
    await world.put('freeze', freeze)
    // Only a signer whose records are older can have taken it in.
    const { organization, user: author } = world.administrator
    world.member(1).store.statements.keep({ organization, author, ...last })
    const lift = root('freeze', lifting(world, idOf(requestOfEvidence(freeze), 'freeze')))
    assert.match(await vote(lift), /the user is frozen/)
    world.close()
  })

  it('of a credential ends it here, even for what takes away, and leaves his others', async () => {
    const { world, take, vote, use, root } = scene()
    await world.found()
    const wallet = await createWallet(world, 'EthereumSepolia')
    const lost = newKeyCredential()
    const target = await addCredential(world, lost)
    const byLost = administratorBy(world, lost)
    const before = use(wallet, 0n, byLost)
    await world.certify(before.place, before.drafted)
    take({ kind: 'revokeCredential', target })
    const gone = /the credential is not active/
    assert.match(await vote(use(wallet, 1n, byLost)), gone)
    assert.match(await vote(root('freeze', freezing(world, byLost))), gone)
    assert.equal(await vote(root('freeze', freezing(world))), 'vote')
    assert.equal(await vote(use(wallet, 1n)), 'vote')
    world.close()
  })

  it('of a token ends it here, even for what takes away', async () => {
    const { world, take, vote, use, root } = scene()
    await world.found()
    const account = await serviceAccount(world)
    const wallet = await createWallet(world, 'EthereumSepolia')
    const before = use(wallet, 0n, account)
    await world.certify(before.place, before.drafted)
    take({ kind: 'revokeToken', target: account.token.id })
    const gone = /the token is not active/
    const freeze = root('freeze', freezing(world, account, { keyId: wallet.key.name }))
    assert.match(await vote(use(wallet, 1n, account)), gone)
    assert.match(await vote(freeze), gone)
    world.close()
  })
})

describe('a recovery that was cancelled by a statement', () => {
  async function recovered() {
    const at = scene()
    const { world } = at
    await world.found()
    await world.put('settings', waitSetting(world, dayMs))
    const old = newKeyCredential({ kind: 'RecoveryKey' })
    const oldId = await addCredential(world, old)
    const wallet = await createWallet(world, 'EthereumSepolia')
    const stolen = newKeyCredential()
    const evidence = recovering(world, { old, oldId, first: stolen })
    await world.put('recovery', evidence)
    const recovery = idOf(requestOfEvidence(evidence), 'recovery')
    return { ...at, wallet, thief: administratorBy(world, stolen), recovery }
  }

  it('never counts here, though the log lets it', async () => {
    const { world, take, vote, use, wallet, thief, recovery } = await recovered()
    take({ kind: 'cancelRecovery', target: recovery })
    world.pass(dayMs + 1)
    assert.match(await vote(use(wallet, 0n, thief)), /the credential is not active/)
    world.close()
  })

  it('counts without one, so that the refusal above means something', async () => {
    const { world, vote, use, wallet, thief } = await recovered()
    world.pass(dayMs + 1)
    assert.equal(await vote(use(wallet, 0n, thief)), 'vote')
    world.close()
  })

  it('is cancelled in the log by who has cancelled it here', async () => {
    const { world, take, vote, root, recovery } = await recovered()
    take({ kind: 'cancelRecovery', target: recovery })
    assert.equal(await vote(root('recoveryEnd', cancelling(world, recovery))), 'vote')
    world.close()
  })

  it('restricts what is allowed, and is no part of what an honest step writes', async () => {
    const { world, take, vote, root, recovery } = await recovered()
    take({ kind: 'cancelRecovery', target: recovery })
    // Writes the record of the user, in which the log still has the recovery.
    assert.equal(await vote(root('credential', adding(world, newKeyCredential()))), 'vote')
    world.close()
  })
})

describe('what comes as a statement', () => {
  const { world, accept } = scene()
  let key: Uint8Array
  before(async () => {
    await world.found()
    key = (await createWallet(world, 'EthereumSepolia')).key.id
  })
  after(() => world.close())
  const words = (): Pick<Statement, 'kind' | 'target'> => ({ kind: 'freezeKey', target: key })
  const kept = () => world.member(1).store.statements.of(world.organization).length

  it('is taken in once, however often it comes', () => {
    const one = said(world.administrator, words())
    assert.deepEqual([accept(one), accept(one), kept()], ['accepted', 'accepted', 1])
  })

  it('is refused when it is forged, of another organization, or cannot be read', () => {
    const before = kept()
    const { signed } = said(world.administrator, words())
    const forged = { ...world.administrator, credential: makeCredential() }
    const impostor = said(forged, words(), (challenge) => {
      const { fingerprint } = newKeyCredential().assertion(challenge)
      return { ...newKeyCredential().assertion(challenge), fingerprint }
    })
    assert.equal(accept(said(forged, words())), 'the credential is not active')
    assert.equal(accept(impostor), 'the credential is not active')
    const elsewhere = said(world.administrator, { ...words(), organization: randomBytes(32) })
    assert.equal(accept(elsewhere), 'the user is not active')
    const cannot = (bytes: Uint8Array) =>
      assert.equal(accept({ hash: bytes, signed: bytes }), 'it cannot be read')
    for (const size of [0, 100, 17_000]) cannot(new Uint8Array(randomBytes(size)))
    cannot(signed.subarray(0, -1))
    cannot(Buffer.concat([signed, new Uint8Array(17_000)]))
    assert.equal(kept(), before)
  })

  it('is signed by a passkey as well, under an origin of the organization', async () => {
    const passkey = newPasskey()
    const { organization } = world
    const body = {
      settings: {
        relyingParties: [{ id: passkey.relyingParty, origins: [passkey.origin] }],
      },
    }
    const change = { method: 'PUT' }
    await world.put('settings', world.request({ path: '/orgs/settings', body, change }))
    await addCredential(world, passkey)
    const by = { ...world.administrator, organization }
    assert.equal(accept(said(by, words(), passkey.assertion)), 'accepted')
    const elsewhere = newPasskey({ origin: 'https://evil.test' })
    const phished = said(by, words(), (challenge) => ({
      ...elsewhere.assertion(challenge),
      fingerprint: passkey.assertion(challenge).fingerprint,
    }))
    assert.equal(accept(phished), 'the signature is not valid')
    const other = said(by, words()).hash
    const replayed = said(by, words(), () => passkey.assertion(toHex(other)))
    assert.equal(accept(replayed), 'the signature is not valid')
  })

  it('counts 64 times for one author, and still for another', async () => {
    const account = await serviceAccount(world)
    for (let i = kept(); i < 64; i++)
      assert.equal(accept(said(world.administrator, words())), 'accepted')
    const more = said(world.administrator, words())
    assert.equal(accept(more), 'the author has made too many')
    assert.equal(accept(said(account, words())), 'accepted')
    assert.equal(kept(), 65)
  })
})
