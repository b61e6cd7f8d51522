import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { nameOf } from '@quorate/core/id'
import { keyTable, nameTable, tokenTable, userTable } from '../records.ts'
import { Company, type Member } from '../testing/company.ts'

type Named = { readonly role: string; readonly path: string; readonly id: Uint8Array }
const company = new Company()

function update(author: Member, { role, path, id }: Named, body: object) {
  const evidence = company.ask(author, { method: 'PUT', path, body, ids: { [role]: id } })
  return { kind: 'update', evidence } as const
}

function aKey(owner: Member | undefined): Named {
  const made = company.makeKey(company.machine)
  if (owner) company.alter(keyTable, [made.id], { owner: owner.user })
  return { role: 'keyId', path: `/keys/${made.name}`, id: made.id }
}

function aWallet(owner: Member | undefined): Named & { readonly key: Uint8Array } {
  const made = company.makeWallet(company.machine)
  if (owner) company.alter(keyTable, [made.key], { owner: owner.user })
  return { role: 'walletId', path: `/wallets/${made.name}`, id: made.id, key: made.key }
}

function aPat({ user }: Member): Named {
  const id = new Uint8Array(randomBytes(32))
  const name = nameOf('token', id)
  company.write(nameTable, [name], { id })
  company.write(tokenTable, [id], {
    ...{ user, kind: 'Pat', status: 'active', expiresAt: 2 ** 50, generation: 0, scoped: 'no' },
  })
  return { role: 'tokenId', path: `/auth/pats/${name}`, id }
}

function anAccount(): Named {
  const { user: id, name } = company.makeServiceAccount()
  return { role: 'serviceAccountId', path: `/auth/service-accounts/${name}`, id }
}

describe('a change of words', () => {
  const { admin } = company

  it('names what it is about and changes no record but that of its request', () => {
    const member = company.makeEndUser()
    const cases: readonly (readonly [Member, Named, object])[] = [
      [admin, aKey(undefined), { name: 'ops' }],
      [admin, aKey(member), { name: null }],
      [member, aKey(member), { name: 'mine' }],
      [admin, aWallet(undefined), { name: null, externalId: 'x' }],
      [member, aWallet(member), {}],
      [admin, anAccount(), { name: 'robot', externalId: 'r-1' }],
      [member, aPat(member), { name: 'laptop' }],
    ]
    for (const [author, named, body] of cases) {
      const outcome = company.try(update(author, named, body))
      assert.ok(outcome.ok, outcome.ok ? '' : `${named.path}: ${outcome.reason}`)
      assert.deepEqual(outcome.step.items[0]?.operation, { kind: 'update', id: named.id })
      assert.equal(outcome.writes.length, 1)
    }
  })

  it('brings nothing that could not be erased', () => {
    const made = update(admin, aKey(undefined), { name: 'ops', owner: admin.name })
    assert.equal(company.refusal(made), 'owner cannot be changed')
    assert.equal(
      company.refusal(update(admin, aKey(undefined), { externalId: 'only wallets have one' })),
      'externalId cannot be changed',
    )
  })

  it('is not for an end user to whom the key was not delegated', () => {
    const [member, stranger] = [company.makeEndUser(), company.makeEndUser()]
    for (const named of [aKey(member), aWallet(member)])
      assert.equal(company.refusal(update(stranger, named, {})), "the key is another user's")
    for (const named of [aKey(undefined), aWallet(undefined)])
      assert.equal(company.refusal(update(stranger, named, {})), 'the key was not delegated')
  })

  it('is over for what is archived', () => {
    const [key, wallet, account] = [aKey(undefined), aWallet(undefined), anAccount()]
    company.alter(keyTable, [key.id], { status: 'archived' })
    company.alter(keyTable, [wallet.key], { status: 'archived' })
    company.alter(userTable, [account.id], { status: 'archived' })
    const token = aPat(admin)
    company.alter(tokenTable, [token.id], { status: 'archived' })
    const refusals = [key, wallet, account, token].map((named) =>
      company.refusal(update(admin, named, {})),
    )
    assert.deepEqual(refusals, [
      'the key is archived',
      'the key is archived',
      'the service account is archived',
      'the token is archived',
    ])
  })

  it('finds a service account among service accounts alone', () => {
    const { user: id, name } = company.makeEndUser()
    const named = { role: 'serviceAccountId', path: `/auth/service-accounts/${name}`, id }
    assert.equal(company.refusal(update(admin, named, {})), 'there is no such service account')
  })

  it('is about one’s own personal access tokens, and no service account’s', () => {
    const member = company.makeEndUser()
    const foreign = 'the user has no such token'
    assert.equal(company.refusal(update(admin, aPat(member), {})), foreign)
    const token = aPat(admin)
    company.alter(tokenTable, [token.id], { kind: 'ServiceAccount' })
    assert.equal(company.refusal(update(admin, token, {})), foreign)
  })
})
