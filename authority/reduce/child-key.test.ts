import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { idOf, nameOf } from '@quorate/core/id'
import { childIndexMax } from '../child-path.ts'
import { childTable, grantsTable, keyTable, nextChildTable, permissionTable } from '../records.ts'
import { Company, type Member } from '../testing/company.ts'
import { pathOf, requestOf } from '../testing/world.ts'

const company = new Company()
const { admin, machine } = company
type Key = { readonly id: Uint8Array; readonly name: string }

const onSecp256k1 = { scheme: 'ECDSA', curve: 'secp256k1' }
const newMaster = (author = admin, body: object = {}, ids = {}): Key =>
  company.makeKey(author, { masterKey: true, ...body }, ids)

function ask(author: Member, master: Key, path?: string, body: object = {}, ids = {}) {
  const deriveFrom = { keyId: master.name, ...(path === undefined ? {} : { path }) }
  return company.ask(author, {
    path: '/keys',
    body: { ...onSecp256k1, deriveFrom, ...body },
    ids: { 'deriveFrom.keyId': master.id, ...ids },
  })
}

function derive(author: Member, master: Key, path?: string, body: object = {}, ids = {}) {
  const evidence = ask(author, master, path, body, ids)
  const operation = company.apply({ kind: 'key', evidence })
  assert.ok(operation.kind === 'key')
  const id = idOf(requestOf(evidence), 'key')
  return { id, name: nameOf('key', id), path: operation.key.derivation?.path }
}

const refusal = (...asked: Parameters<typeof ask>): string | undefined =>
  company.refusal({ kind: 'key', evidence: ask(...asked) })

function use(author: Member, key: Key) {
  const evidence = company.ask(author, {
    path: pathOf('key', key.id, '/signatures'),
    body: {},
    ids: { keyId: key.id },
  })
  return company.refusal({ kind: 'use', evidence, key: key.id })
}

describe('a derived key', () => {
  it('is a record that follows from its master, and takes no share and no certificate', () => {
    const master = newMaster()
    const child = derive(admin, master, 'm/44/7')
    const [parent, record] = [master, child].map(({ id }) => company.find(keyTable, id))
    assert.ok(parent?.chainCode && record)
    const { publicKey, chainCode } = parent
    assert.deepEqual(record.publicKey, company.rules.childOf({ publicKey, chainCode }, [44, 7]))
    assert.deepEqual(record.certificate, parent.certificate)
    assert.deepEqual(record.derivation, { master: master.id, path: [44, 7] })
    assert.deepEqual(record.terms.key, child.id)
    assert.deepEqual([record.terms.master, record.chainCode], ['no', undefined])
    assert.equal(use(admin, child), undefined)
    const judged = company.termsOf(ask(admin, master))
    assert.deepEqual(judged, { ok: false, reason: 'the request makes no key' })
    const laden = { ...ask(admin, master), facts: new Uint8Array(1) }
    assert.equal(
      company.refusal({ kind: 'key', evidence: laden }),
      'a derived key rests on no certificate of its own',
    )
  })

  it('comes from a key that was marked so at its birth, and from no other', () => {
    const plain = company.makeKey(admin)
    assert.equal(company.find(keyTable, plain.id)?.chainCode, undefined)
    assert.equal(refusal(admin, plain), 'the key is no master key')
    const child = derive(admin, newMaster())
    assert.equal(refusal(admin, child), 'the key is no master key')
    assert.equal(
      refusal(admin, newMaster(), undefined, { masterKey: true }),
      'a derived key is no master key',
    )
    const unknown = { id: new Uint8Array(32), name: nameOf('key', new Uint8Array(32)) }
    assert.match(refusal(admin, unknown) ?? '', /there is no such key|names/)
  })

  it('is of the scheme of its master, and no master is of a scheme that has no such keys', () => {
    const other = { scheme: 'Schnorr' }
    const differs = 'a derived key has the scheme and curve of its master'
    assert.equal(refusal(admin, newMaster(), undefined, other), differs)
    assert.equal(derive(admin, newMaster(admin, other), undefined, other).path?.length, 1)
    for (const body of [
      { scheme: 'EdDSA', curve: 'ed25519' },
      { scheme: 'DH', curve: 'secp256k1' },
    ]) {
      const evidence = company.ask(admin, { path: '/keys', body: { ...body, masterKey: true } })
      const judged = company.termsOf(evidence)
      assert.deepEqual(judged, { ok: false, reason: 'no keys are derived from such a key' })
    }
  })

  it('signs as itself or for script trees as its master does', () => {
    const schnorr = { scheme: 'Schnorr' }
    const untweaked = { ...schnorr, untweaked: true }
    const differs = 'a derived key is tweaked or not as its master is'
    assert.equal(refusal(admin, newMaster(admin, schnorr), undefined, untweaked), differs)
    assert.equal(refusal(admin, newMaster(admin, untweaked), undefined, schnorr), differs)
    const child = derive(admin, newMaster(admin, untweaked), undefined, untweaked)
    assert.equal(company.find(keyTable, child.id)?.terms.untweaked, 'yes')
  })

  it('has its path for ever, and the path is bounded and not hardened', () => {
    const [master, second] = [newMaster(), newMaster()]
    derive(admin, master, 'm/3')
    derive(admin, master, 'm/3/0')
    for (const path of ['m/3', 'm/3/0'])
      assert.equal(refusal(admin, master, path), 'there is a key at this path')
    assert.equal(refusal(admin, second, 'm/3'), undefined)
    assert.match(refusal(admin, master, "m/44'/0") ?? '', /hardened/)
    assert.match(refusal(admin, master, `m${'/0'.repeat(11)}`) ?? '', /more than 10 levels/)
    assert.match(refusal(admin, master, 'm/2147483648') ?? '', /from 0 to 2147483647/)
  })

  it('has the least free index where no path was asked for, in whatever order others were', () => {
    // A small linear congruence: the same tries in every run.
    let seed = 7
    const below = (limit: number) => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % limit
    for (let round = 0; round < 6; round++) {
      const master = newMaster()
      const taken = new Set<number>()
      for (let count = 0; count < 24; count++) {
        const wished = below(3) === 0 ? undefined : below(16)
        if (wished !== undefined && taken.has(wished)) {
          assert.equal(refusal(admin, master, `m/${wished}`), 'there is a key at this path')
          continue
        }
        let free = 0
        while (taken.has(free)) free++
        const path = wished === undefined ? undefined : `m/${wished}`
        const { path: given = [] } = derive(admin, master, path)
        assert.deepEqual(given, [wished ?? free])
        taken.add(wished ?? free)
      }
    }
  })

  it('has the index behind all that were asked for one by one, in every order of these', () => {
    for (const order of ordersOf([1, 2, 3, 4])) {
      const master = newMaster()
      for (const index of order) derive(admin, master, `m/${index}`)
      assert.deepEqual(derive(admin, master).path, [0])
      assert.deepEqual(derive(admin, master).path, [5], order.join())
    }
  })

  it('is given no index when the last one is taken', () => {
    const master = newMaster()
    company.write(nextChildTable, [master.id], { index: childIndexMax })
    assert.deepEqual(derive(admin, master).path, [childIndexMax])
    assert.equal(refusal(admin, master), 'no index is free')
  })

  it('is not made where BIP 32 has none', () => {
    const rules = { ...company.rules, childOf: () => undefined }
    const barren = Object.assign(Object.create(company) as Company, { rules })
    const evidence = ask(admin, newMaster())
    assert.equal(barren.refusal({ kind: 'key', evidence }), 'there is no key at this path')
  })
})

function ordersOf(items: readonly number[]): readonly (readonly number[])[] {
  if (items.length === 0) return [[]]
  return items.flatMap((first) =>
    ordersOf(items.filter((item) => item !== first)).map((rest) => [first, ...rest]),
  )
}

describe('whose a derived key is', () => {
  const member = company.makeEndUser()
  const other = company.makeEndUser()

  it('is said when it is made, as of any other key', () => {
    const master = newMaster(machine)
    const ids = { delegateTo: member.user }
    const child = derive(machine, master, undefined, { delegateTo: member.name }, ids)
    assert.deepEqual(company.find(keyTable, child.id)?.owner, member.user)
    assert.equal(use(member, child), undefined)
    assert.equal(use(machine, child), "the key is another user's")
    assert.equal(use(member, master), 'the key was not delegated')
    const later = derive(machine, master, undefined, { delayDelegation: true })
    assert.deepEqual(company.find(keyTable, later.id)?.delegableBy, machine.user)
  })

  it('is for the owner of its master alone to say', () => {
    const ids = { delegateTo: member.user }
    const master = newMaster(machine, { delegateTo: member.name }, ids)
    assert.deepEqual(company.find(keyTable, derive(member, master).id)?.owner, member.user)
    for (const stranger of [admin, machine, other])
      assert.equal(refusal(stranger, master), "the key is another user's")
    assert.equal(refusal(member, newMaster()), 'the key was not delegated')
    const waiting = newMaster(machine, { delayDelegation: true })
    assert.equal(refusal(admin, waiting), 'the key waits to be delegated')
    assert.equal(refusal(machine, waiting), undefined)
  })

  it('takes a permission of its own besides that to make keys', () => {
    const master = newMaster()
    const permission = new Uint8Array(32).fill(3)
    const assignment = new Uint8Array(32).fill(5)
    const helper = company.makeServiceAccount()
    const allow = (...operations: readonly string[]) =>
      company.write(permissionTable, [permission], {
        ...{ name: 'Derive', all: 'no', immutable: 'no', status: 'active' },
        operations: [...operations],
      })
    company.write(grantsTable, [helper.user], { entries: [{ permission, assignment }] })
    allow('Keys:Create')
    assert.match(refusal(helper, master) ?? '', /Keys:ChildKeys:Create/)
    allow('Keys:ChildKeys:Create')
    assert.match(refusal(helper, master) ?? '', /Keys:Create/)
    allow('Keys:Create', 'Keys:ChildKeys:Create')
    assert.equal(refusal(helper, master), undefined)
    const signingKey = { deriveFrom: { keyId: master.name } }
    const evidence = company.ask(helper, {
      path: '/wallets',
      body: { network: 'Chain', signingKey },
      ids: { 'signingKey.deriveFrom.keyId': master.id },
    })
    allow('Wallets:Create', 'Keys:Create')
    assert.match(company.refusal({ kind: 'wallet', evidence }) ?? '', /Keys:ChildKeys:Create/)
    allow('Wallets:Create', 'Keys:Create', 'Keys:ChildKeys:Create')
    assert.equal(company.refusal({ kind: 'wallet', evidence }), undefined)
  })
})

describe('a master key', () => {
  it('that is archived or frozen has no new children, and the old ones stop with a frozen one', () => {
    const [archived, frozen] = [newMaster(), newMaster()]
    const [left, stopped] = [derive(admin, archived), derive(admin, frozen)]
    company.alter(keyTable, [archived.id], { status: 'archived' })
    assert.equal(refusal(admin, archived), 'the key is archived')
    assert.equal(use(admin, left), undefined)
    company.freeze(frozen.id)
    assert.equal(refusal(admin, frozen), 'the master key is frozen')
    assert.equal(use(admin, stopped), 'the master key is frozen')
  })

  it('is told apart from a plain key by what all signers have signed', () => {
    const asked = company.ask(admin, { path: '/keys', body: { ...onSecp256k1, masterKey: true } })
    const plain = company.certified(company.ask(admin, { path: '/keys', body: { ...onSecp256k1 } }))
    assert.equal(
      company.refusal({ kind: 'key', evidence: { ...asked, facts: plain.facts } }),
      'the certificate is of another key',
    )
    const judged = company.termsOf(asked)
    assert.ok(judged.ok && judged.terms.master === 'yes')
  })
})

describe('a wallet on a derived key', () => {
  const request = (master: Key, body: object, signingKey: object = {}) =>
    company.ask(admin, {
      path: '/wallets',
      body: {
        network: 'Chain',
        signingKey: { deriveFrom: { keyId: master.name, ...body }, ...signingKey },
      },
      ids: { 'signingKey.deriveFrom.keyId': master.id },
    })

  it('is made with it in one step', () => {
    const master = newMaster()
    const evidence = request(master, { path: 'm/5' })
    const operation = company.apply({ kind: 'wallet', evidence })
    assert.ok(operation.kind === 'wallet' && operation.key.kind === 'created')
    assert.deepEqual(operation.key.derivation, { master: master.id, path: [5] })
    const id = idOf(requestOf(evidence), 'key')
    const record = company.find(keyTable, id)
    assert.deepEqual(record?.wallets, [
      { network: 'Chain', wallet: idOf(requestOf(evidence), 'wallet') },
    ])
    assert.equal(record?.terms.raw, 'no')
    assert.deepEqual(company.find(childTable, master.id, 'm/5')?.key, id)
  })

  it('suits its network, and is on one key', () => {
    const schnorr = newMaster(admin, { scheme: 'Schnorr' })
    const made = (evidence: ReturnType<typeof request>) =>
      company.refusal({ kind: 'wallet', evidence })
    assert.equal(made(request(schnorr, {})), 'a derived key has the scheme and curve of its master')
    const master = newMaster()
    assert.equal(made(request(master, {})), undefined)
    assert.equal(made(request(master, {}, { masterKey: true })), 'masterKey is not supported')
    const both = company.ask(admin, {
      path: '/wallets',
      body: {
        network: 'Chain',
        signingKey: { id: master.name, deriveFrom: { keyId: master.name } },
      },
      ids: { 'signingKey.id': master.id, 'signingKey.deriveFrom.keyId': master.id },
    })
    assert.equal(made(both), 'the key is there or derived, and not both')
  })
})
