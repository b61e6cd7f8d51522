import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { idOf, nameOf } from '@quorate/core/id'
import { readKeyCertificate, type KeyTerms } from '../key-certificate.ts'
import {
  credentialTable,
  keyTable,
  permissionTable,
  userTable,
  walletTable,
  type RecordOf,
} from '../records.ts'
import { fingerprintOf } from '../credential.ts'
import { credentialSetHash } from '../standing.ts'
import { Company, type Member } from '../testing/company.ts'
import { certifyKey, requestOf } from '../testing/world.ts'

const keyBody = { scheme: 'ECDSA', curve: 'secp256k1' }
const company = new Company()
const { admin, machine } = company

function askKey(author: Member, body: object = {}, owner?: Member, ids = {}) {
  const named = owner && { delegateTo: owner.name }
  return company.ask(author, {
    path: '/keys',
    body: { ...keyBody, ...named, ...body },
    ids: { ...(owner && { delegateTo: owner.user }), ...ids },
  })
}

/** Why the signers would not even begin to make a key of it. */
function unborn(author: Member, body: object = {}, owner?: Member): string | undefined {
  const judged = company.termsOf(askKey(author, body, owner))
  return judged.ok ? undefined : judged.reason
}

function keyFor(owner: Member) {
  return company.makeKey(machine, { delegateTo: owner.name }, { delegateTo: owner.user })
}

function sign(author: Member, { id, name }: { readonly id: Uint8Array; readonly name: string }) {
  const wish = { path: `/keys/${name}/signatures`, body: {}, ids: { keyId: id } }
  return { kind: 'use', evidence: company.ask(author, wish), key: id } as const
}

type Named = { readonly id: Uint8Array; readonly name: string }
function delegate(author: Member, { id, name }: Named, owner: Member) {
  const path = `/keys/${name}/delegate`
  const ids = { keyId: id, delegateTo: owner.user }
  const evidence = company.ask(author, { path, body: { delegateTo: owner.name }, ids })
  return { kind: 'delegation', evidence } as const
}

function remove(author: Member, { id, name }: Named) {
  const wish = { method: 'DELETE', path: `/keys/${name}`, body: {}, ids: { keyId: id } }
  return { kind: 'keyStatus', evidence: company.ask(author, wish) } as const
}

describe('a key that is made for somebody', () => {
  it('bears his name in its record, in its terms and in its certificate', () => {
    const owner = company.makeEndUser()
    const evidence = company.certified(askKey(machine, {}, owner))
    company.apply({ kind: 'key', evidence })
    const record = company.find(keyTable, idOf(requestOf(evidence), 'key'))
    assert.deepEqual(record?.owner, owner.user)
    assert.deepEqual(record.terms.owner, owner.user)
    assert.deepEqual(readKeyCertificate(evidence.facts).statement.terms.owner, owner.user)
  })

  it('is not made under a certificate in another’s name, or in nobody’s', () => {
    const [owner, thief] = [company.makeEndUser(), company.makeEndUser()]
    const asked = askKey(machine, {}, owner)
    const judged = company.termsOf(asked)
    assert.ok(judged.ok)
    const under = (terms: KeyTerms) => ({
      kind: 'key' as const,
      evidence: {
        ...asked,
        facts: certifyKey(company.cluster, terms, new Uint8Array(33).fill(2)),
      },
    })
    for (const other of [thief.user, undefined])
      assert.equal(
        company.refusal(under({ ...judged.terms, owner: other })),
        'the certificate is of another key',
      )
    assert.equal(company.refusal(under(judged.terms)), undefined)
  })

  it('is for an end user who is active', () => {
    const inactive = company.makeEndUser({ status: 'inactive' })
    assert.equal(unborn(machine, {}, inactive), 'the new owner is not active')
    assert.equal(unborn(machine, {}, admin), 'keys are delegated to end users alone')
    assert.equal(unborn(admin, {}, company.makeEndUser()), undefined)
  })

  it('is the end user’s own when he has made it himself', () => {
    const [member, other] = [company.makeEndUser(), company.makeEndUser()]
    const judged = company.termsOf(askKey(member))
    assert.ok(judged.ok)
    assert.deepEqual(judged.terms.owner, member.user)
    assert.equal(unborn(member, {}, other), 'an end user gives no keys away')
    assert.equal(unborn(member, { delayDelegation: true }), 'an end user gives no keys away')
  })

  it('needs the right to delegate', () => {
    const author = company.makeEndUser({ kind: 'employee' })
    const owner = company.makeEndUser()
    const permission = new Uint8Array(32).fill(7)
    const all = company.find(permissionTable, permission)
    assert.ok(all)
    const operations = all.operations.filter((name) => name !== 'Keys:Delegate')
    company.alter(permissionTable, [permission], { operations })
    assert.equal(unborn(author, {}, owner), 'not authorized to perform operation (Keys:Delegate)')
    company.alter(permissionTable, [permission], all)
    assert.equal(unborn(author, {}, owner), undefined)
  })
})

describe('a wallet that is made for somebody', () => {
  const walletFor = (owner: Member, body: object = {}) =>
    company.makeWallet(machine, { delegateTo: owner.name, ...body }, { delegateTo: owner.user })

  it('stands on a key that is his, and so does every later one on that key', () => {
    const owner = company.makeEndUser()
    const first = walletFor(owner)
    assert.deepEqual(company.find(keyTable, first.key)?.owner, owner.user)
    const keyName = nameOf('key', first.key)
    for (const [author, network] of [
      [machine, 'Other'],
      [owner, 'KeyECDSA'],
    ] as const) {
      const body = { network, signingKey: { id: keyName } }
      company.makeWallet(author, body, { 'signingKey.id': first.key })
    }
    const record = company.find(keyTable, first.key)
    assert.equal(record?.wallets.length, 3)
    assert.deepEqual(record.owner, owner.user)
  })

  it('is not put on another’s key by an end user, or on an archived one by anybody', () => {
    const [owner, stranger] = [company.makeEndUser(), company.makeEndUser()]
    const key = keyFor(owner)
    const own = company.makeKey(machine)
    const on = (author: Member, { id, name }: Named, body: object = {}, ids = {}) =>
      company.refusal({
        kind: 'wallet',
        evidence: company.ask(author, {
          path: '/wallets',
          body: { network: 'Chain', signingKey: { id: name }, ...body },
          ids: { 'signingKey.id': id, ...ids },
        }),
      })
    assert.equal(on(stranger, key), "the key is another user's")
    assert.equal(on(stranger, own), 'the key was not delegated')
    assert.equal(
      on(machine, own, { delegateTo: owner.name }, { delegateTo: owner.user }),
      'a key that exists is delegated by itself',
    )
    assert.equal(
      on(machine, own, { delayDelegation: true }),
      'a key that exists is delegated by itself',
    )
    const waiting = company.makeKey(machine, { delayDelegation: true })
    assert.equal(on(admin, waiting), 'the key waits to be delegated')
    assert.equal(on(machine, waiting), undefined)
    company.alter(keyTable, [key.id], { status: 'archived' })
    assert.equal(on(owner, key), 'the key is archived')
  })

  it('gets its tags at birth, but none by an end user', () => {
    const owner = company.makeEndUser()
    const { id } = walletFor(owner, { tags: ['a', 'b', 'a'] })
    assert.deepEqual(company.find(walletTable, id)?.tags, ['a', 'b'])
    const asked = company.ask(owner, {
      path: '/wallets',
      body: { network: 'Chain', tags: ['trusted'] },
    })
    const refusal = company.refusal({ kind: 'wallet', evidence: company.certified(asked) })
    assert.equal(refusal, 'an end user gives no tags')
  })
})

describe('the owner of a key', () => {
  it('uses it, and nobody else does', () => {
    const [owner, stranger] = [company.makeEndUser(), company.makeEndUser()]
    const key = keyFor(owner)
    for (const other of [stranger, machine, admin])
      assert.equal(company.refusal(sign(other, key)), "the key is another user's")
    assert.equal(company.refusal(sign(owner, key)), undefined)
  })

  it('uses nothing that was not delegated to him', () => {
    const key = company.makeKey(machine)
    assert.equal(company.refusal(sign(company.makeEndUser(), key)), 'the key was not delegated')
  })

  it('signs nothing while nobody has confirmed him, though the key is born in his name', () => {
    const owner = company.makeEndUser({}, 'unconfirmed')
    const key = keyFor(owner)
    assert.deepEqual(company.find(keyTable, key.id)?.terms.owner, owner.user)
    assert.equal(company.refusal(sign(owner, key)), 'the credential is not confirmed')
  })

  it('is confirmed by whoever makes a key for him and names his credentials', () => {
    const owner = company.makeEndUser({}, 'unconfirmed')
    const fingerprint = fingerprintOf(owner.by.spki)
    const named = [
      { role: 'delegateTo', id: owner.user },
      { role: 'credentials', id: credentialSetHash(owner.user, [fingerprint]) },
    ]
    const evidence = company.certified(
      company.ask(machine, {
        path: '/keys',
        body: { ...keyBody, delegateTo: owner.name },
        preimage: { subjects: named },
      }),
    )
    const operation = company.apply({ kind: 'key', evidence })
    assert.equal(operation.kind, 'key')
    const record = company.find(credentialTable, owner.user, fingerprint)
    assert.equal(record?.rank, 'confirmed')
  })
})

describe('a key that waits to be delegated', () => {
  const waiting = () => company.makeKey(machine, { delayDelegation: true })

  it('is made by a service account alone, and for nobody yet', () => {
    assert.equal(
      unborn(admin, { delayDelegation: true }),
      'only a service account makes keys to be delegated later',
    )
    assert.equal(
      unborn(machine, { delayDelegation: true }, company.makeEndUser()),
      'the key is delegated now or later, and not both',
    )
  })

  it('is its maker’s until then, and from then on its owner’s', () => {
    const key = waiting()
    const owner = company.makeEndUser()
    assert.equal(company.refusal(sign(admin, key)), 'the key waits to be delegated')
    assert.equal(company.refusal(sign(machine, key)), undefined)
    const operation = company.apply(delegate(machine, key, owner))
    const [id, confirmed] = [key.id, undefined]
    const { user } = owner
    assert.deepEqual(operation, { kind: 'delegation', key: id, owner: user, confirmed })
    assert.equal(company.refusal(sign(machine, key)), "the key is another user's")
    assert.equal(company.refusal(sign(owner, key)), undefined)
  })

  it('is delegated once and for ever', () => {
    const key = waiting()
    company.apply(delegate(machine, key, company.makeEndUser()))
    const again = delegate(machine, key, company.makeEndUser())
    assert.equal(company.refusal(again), 'the key has been delegated')
  })

  it('is delegated to active end users, unless it is archived', () => {
    const key = waiting()
    const gone = company.makeEndUser({ status: 'archived' })
    assert.equal(company.refusal(delegate(machine, key, gone)), 'the new owner is not active')
    assert.equal(
      company.refusal(delegate(machine, key, admin)),
      'keys are delegated to end users alone',
    )
    company.alter(keyTable, [key.id], { status: 'archived' })
    const late = delegate(machine, key, company.makeEndUser())
    assert.equal(company.refusal(late), 'the key is archived')
  })

  it('is given to nobody while it is frozen', () => {
    const [key, owner] = [waiting(), company.makeEndUser()]
    company.freeze(key.id)
    assert.equal(company.refusal(delegate(machine, key, owner)), 'the key is frozen')
  })

  it('is not delegated by others while its maker lives', () => {
    const maker = company.makeServiceAccount()
    const key = company.makeKey(maker, { delayDelegation: true })
    const owner = company.makeEndUser()
    for (const other of [machine, admin])
      assert.equal(
        company.refusal(delegate(other, key, owner)),
        'another service account has made the key',
      )
    company.alter(userTable, [maker.user], { status: 'inactive' })
    assert.equal(
      company.refusal(delegate(admin, key, owner)),
      'another service account has made the key',
    )
    company.alter(userTable, [maker.user], { status: 'archived' })
    assert.equal(company.refusal(delegate(admin, key, owner)), undefined)
  })

  it('is the only kind that can be delegated later', () => {
    const refusal = company.refusal(
      delegate(machine, company.makeKey(machine), company.makeEndUser()),
    )
    assert.equal(refusal, 'the key was not made to be delegated')
  })

  it('can be named by one of its wallets', () => {
    const wallet = company.makeWallet(machine, { delayDelegation: true })
    const owner = company.makeEndUser()
    const evidence = company.ask(machine, {
      path: `/wallets/${wallet.name}/delegate`,
      body: { userId: owner.name },
      ids: { walletId: wallet.id, userId: owner.user },
    })
    company.apply({ kind: 'delegation', evidence })
    assert.deepEqual(company.find(keyTable, wallet.key)?.owner, owner.user)
  })

  it('confirms its new owner where his credentials are named, and them alone', () => {
    const [owner, key] = [company.makeEndUser({}, 'unconfirmed'), waiting()]
    const naming = (fingerprints: readonly Uint8Array[]) => ({
      kind: 'delegation' as const,
      evidence: company.ask(machine, {
        path: `/keys/${key.name}/delegate`,
        body: { delegateTo: owner.name },
        preimage: {
          subjects: [
            { role: 'keyId', id: key.id },
            { role: 'delegateTo', id: owner.user },
            { role: 'credentials', id: credentialSetHash(owner.user, fingerprints) },
          ],
        },
      }),
    })
    assert.equal(
      company.refusal(naming([new Uint8Array(32)])),
      'the credentials are others than those that were named',
    )
    company.apply(naming([fingerprintOf(owner.by.spki)]))
    assert.equal(company.refusal(sign(owner, key)), undefined)
  })
})

describe('a key that is archived', () => {
  it('signs nothing, by itself or through a wallet, and is never archived again', () => {
    const wallet = company.makeWallet(machine)
    const key = { id: wallet.key, name: nameOf('key', wallet.key) }
    const spend = {
      kind: 'use' as const,
      key: key.id,
      evidence: company.ask(machine, {
        path: `/wallets/${wallet.name}/transfers`,
        body: {},
        ids: { walletId: wallet.id },
      }),
    }
    assert.equal(company.refusal(spend), undefined)
    company.apply(remove(admin, key))
    for (const made of [spend, sign(machine, key)])
      assert.equal(company.refusal(made), 'the key is archived')
    assert.equal(company.refusal(remove(admin, key)), 'the key is archived')
  })

  it('is archived by the organization, also after it was delegated', () => {
    const owner = company.makeEndUser()
    const key = keyFor(owner)
    assert.equal(company.refusal(remove(owner, key)), 'no caller of this kind may ask for this')
    const before = company.find(keyTable, key.id)
    company.apply(remove(machine, key))
    const after: RecordOf<typeof keyTable> | undefined = company.find(keyTable, key.id)
    assert.deepEqual(after, { ...before, status: 'archived' })
  })

  it('is not archived while it is frozen, or its master: nobody would bring it back', () => {
    const [key, master] = [company.makeKey(machine), company.makeKey(machine)]
    const child = company.makeKey(machine)
    company.alter(keyTable, [child.id], {
      derivation: { master: master.id, path: [0] },
    })
    for (const frozen of [key, master]) company.freeze(frozen.id)
    for (const one of [key, master])
      assert.equal(company.refusal(remove(admin, one)), 'the key is frozen')
    assert.equal(company.refusal(remove(admin, child)), 'the master key is frozen')
  })
})
