import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { idOf, nameOf } from '@quorate/core/id'
import { fingerprintOf } from '../credential.ts'
import { acceptedNames, currentNames, meaningOf } from '../permission-names.ts'
import {
  assignmentTable,
  credentialTable,
  frozenTable,
  grantsTable,
  holdersMax,
  holdersTable,
  permissionTable,
  tokenTable,
  userTable,
} from '../records.ts'
import { has, rightsOf } from '../standing.ts'
import { Company, type Member } from '../testing/company.ts'
import { pathOf, requestOf } from '../testing/world.ts'

let company: Company
beforeEach(() => void (company = new Company()))

const create = (body: object) => {
  const evidence = company.ask(company.admin, { path: '/permissions', body })
  return { kind: 'permission', evidence } as const
}
const made = (body: object) => {
  const asked = create(body)
  company.apply(asked)
  return idOf(requestOf(asked.evidence), 'permission')
}
const change = (permissionId: Uint8Array, body: object, rest = '') => {
  const path = pathOf('permission', permissionId, rest)
  const evidence = company.ask(company.admin, {
    ...{ method: 'PUT', path, body, ids: { permissionId } },
  })
  return { kind: 'permissionUpdate', evidence } as const
}
const archive = (permissionId: Uint8Array, isArchived: unknown = true) =>
  change(permissionId, { isArchived }, '/archive')
const managedOf = (index: number) => {
  const { permission } = company
  if (index === 0) return permission
  const request = company.genesisRequest
  return idOf(request, 'permission', index)
}
const assign = (
  permissionId: Uint8Array,
  identityId: Uint8Array,
  kind: 'user' | 'token',
  author = company.admin,
) => {
  const evidence = company.ask(author, {
    path: pathOf('permission', permissionId, '/assignments'),
    body: { identityId: nameOf(kind, identityId) },
    ids: { permissionId, identityId },
  })
  return { kind: 'assignment', evidence } as const
}
const assigned = (permissionId: Uint8Array, { user }: Member) => {
  const asked = assign(permissionId, user, 'user')
  company.apply(asked)
  return idOf(requestOf(asked.evidence), 'assignment')
}
const revoke = (
  permissionId: Uint8Array,
  assignmentId: Uint8Array,
  query = '',
  author = company.admin,
) => {
  const rest = `/assignments/${nameOf('assignment', assignmentId)}${query}`
  const evidence = company.ask(author, {
    ...{ method: 'DELETE', path: pathOf('permission', permissionId, rest), body: {} },
    ids: { permissionId, assignmentId },
  })
  return { kind: 'assignmentEnd', evidence } as const
}
const mayDo = (identity: Uint8Array, name: string) =>
  has(rightsOf({ find: (table, ...key) => company.find(table, ...key) }, identity), name)

describe('a permission', () => {
  it('keeps its operations as they were given, of every generation of names', () => {
    const operations = ['Keys:Read', 'Wallets:GenerateSignature', 'Policies:Evaluations:Vote']
    const id = made({ name: 'Traders', operations })
    assert.deepEqual(company.find(permissionTable, id), {
      ...{ name: 'Traders', operations, all: 'no', immutable: 'no', status: 'active' },
    })
  })

  it('gives what its names mean, and nothing besides', () => {
    const member = company.makeEndUser()
    company.write(grantsTable, [member.user], { entries: [] })
    const id = made({ name: 'One', operations: ['Keys:Read'] })
    assigned(id, member)
    for (const name of acceptedNames) {
      company.apply(change(id, { operations: [name] }))
      const meant = currentNames.filter((needed) => mayDo(member.user, needed))
      assert.deepEqual(meant, [...meaningOf(name)].toSorted(), name)
    }
  })

  it('has a name of 1 to 100 characters, and 1 to 256 operations that are known', () => {
    const reasons = [
      [{ name: '', operations: ['Keys:Read'] }, 'the name is not of 1 to 100 characters'],
      [
        { name: 'x'.repeat(101), operations: ['Keys:Read'] },
        'the name is not of 1 to 100 characters',
      ],
      [{ name: 'A', operations: [] }, 'operations are not from 1 to 256'],
      [
        { name: 'A', operations: Array<string>(257).fill('Keys:Read') },
        'operations are not from 1 to 256',
      ],
      [{ name: 'A', operations: 'Keys:Read' }, 'operations is not a list'],
      [{ name: 'A' }, 'operations is not a list'],
      [{ name: 'A', operations: ['Keys:Destroy'] }, 'no such operation'],
      [{ name: 'A', operations: ['toString'] }, 'no such operation'],
      [{ name: 7, operations: ['Keys:Read'] }, 'name is not a text'],
    ] as const
    for (const [body, reason] of reasons) assert.equal(company.refusal(create(body)), reason)
    made({ name: '鍵'.repeat(100), operations: Array<string>(256).fill('Keys:Read') })
  })

  it('has a name of its own, for ever', () => {
    const operations = ['Keys:Read']
    const id = made({ name: 'Traders', operations })
    const taken = create({ name: 'Traders', operations })
    assert.equal(company.refusal(taken), 'the name is taken')
    company.apply(archive(id))
    assert.equal(company.refusal(taken), 'the name is taken')
    company.apply(change(id, { name: 'Former traders' }))
    assert.equal(company.refusal(taken), 'the name is taken')
    const other = made({ name: 'Others', operations })
    assert.equal(company.refusal(change(other, { name: 'Traders' })), 'the name is taken')
    company.apply(change(id, { name: 'Traders' }))
  })

  it('bears none of the names that the platform gives', () => {
    const operations = ['Keys:Read']
    for (const name of ['DfnsFullAdminAccess', 'DfnsDefaultEndUserAccess'])
      assert.equal(company.refusal(create({ name, operations })), 'the name is reserved')
    for (const name of ['ManagedFullAdminAccess', 'ManagedDefaultEndUserAccess'])
      assert.equal(company.refusal(create({ name, operations })), 'the name is taken')
    const id = made({ name: 'Mine', operations })
    const renamed = change(id, { name: 'DfnsFullAdminAccess' })
    assert.equal(company.refusal(renamed), 'the name is reserved')
  })

  it('changes by the members that are given, for everybody who has it', () => {
    const member = company.makeEndUser()
    company.write(grantsTable, [member.user], { entries: [] })
    const id = made({ name: 'A', operations: ['Keys:Read'] })
    assigned(id, member)
    company.apply(change(id, { operations: ['Keys:Create'] }))
    assert.deepEqual(
      [mayDo(member.user, 'Keys:Read'), mayDo(member.user, 'Keys:Create')],
      [false, true],
    )
    const operation = company.apply(change(id, { name: 'B' }))
    assert.deepEqual(operation, {
      ...{ kind: 'permissionUpdate', permission: id, name: 'B' },
      ...{ operations: ['Keys:Create'], status: 'active' },
    })
    assert.equal(company.refusal(change(id, { operations: ['x'] })), 'no such operation')
    const long = change(id, { name: 'x'.repeat(101) })
    assert.equal(company.refusal(long), 'the name is not of 1 to 100 characters')
  })

  it('gives nothing while it is archived, and can come back', () => {
    const member = company.makeEndUser()
    const id = made({ name: 'A', operations: ['Billing:Read'] })
    company.write(grantsTable, [member.user], { entries: [] })
    assigned(id, member)
    company.apply(archive(id))
    assert.equal(mayDo(member.user, 'Billing:Read'), false)
    const late = assign(id, company.makeEndUser().user, 'user')
    assert.equal(company.refusal(late), 'there is no such permission')
    company.apply(archive(id, false))
    assert.equal(mayDo(member.user, 'Billing:Read'), true)
    assert.equal(company.refusal(archive(id, 'yes')), 'isArchived is not true or false')
  })

  it('that is for everything is what it is; the end users’ one can be changed', () => {
    const [full, endUsers] = [managedOf(0), managedOf(1)]
    for (const asked of [
      change(full, { name: 'Mine' }),
      change(full, { operations: ['Keys:Read'] }),
      archive(full),
    ])
      assert.equal(company.refusal(asked), 'the permission is immutable')
    company.apply(change(endUsers, { operations: ['Keys:Read'] }))
    company.apply(archive(endUsers))
    const foreign = change(new Uint8Array(32), { name: 'x' })
    assert.equal(company.refusal(foreign), 'there is no such permission')
  })
})

describe('an assignment', () => {
  it('is made once, to a user or a personal access token that is there', () => {
    const id = made({ name: 'A', operations: ['Keys:Read'] })
    const member = company.makeEndUser()
    assigned(id, member)
    const again = assign(id, member.user, 'user')
    assert.equal(company.refusal(again), 'the permission is assigned already')
    const nobody = assign(id, new Uint8Array(32), 'user')
    assert.equal(company.refusal(nobody), 'there is no such identity')
    const gone = company.makeEndUser({ status: 'archived' })
    assert.equal(company.refusal(assign(id, gone.user, 'user')), 'the identity is archived')
    const { token } = company.machine
    assert.ok(token)
    assert.equal(
      company.refusal(assign(id, token, 'token')),
      "a service account's token has the permissions of the account",
    )
  })

  it('bounds a token that was as wide as its owner', () => {
    const { admin } = company
    const token = new Uint8Array(32).fill(5)
    const record = {
      ...{ user: admin.user, kind: 'Pat', status: 'active', expiresAt: 2 ** 50 },
      ...{ generation: 0, scoped: 'no' },
    } as const
    company.write(tokenTable, [token], record)
    const id = made({ name: 'A', operations: ['Keys:Read'] })
    company.apply(assign(id, token, 'token'))
    assert.equal(company.find(tokenTable, token)?.scoped, 'yes')
    company.alter(tokenTable, [token], { status: 'archived' })
    const other = made({ name: 'B', operations: ['Keys:Read'] })
    assert.equal(company.refusal(assign(other, token, 'token')), 'the identity is archived')
  })

  it('is one of no more than 64 of an identity', () => {
    const member = company.makeEndUser()
    const one = { permission: new Uint8Array(32), assignment: new Uint8Array(32) }
    company.write(grantsTable, [member.user], { entries: Array(64).fill(one) })
    const asked = assign(made({ name: 'A', operations: ['Keys:Read'] }), member.user, 'user')
    assert.equal(company.refusal(asked), 'too many permissions for one identity')
  })

  it('ends, and with it the right; it can be made anew', () => {
    const member = company.makeEndUser()
    company.write(grantsTable, [member.user], { entries: [] })
    const id = made({ name: 'A', operations: ['Billing:Read'] })
    const assignment = assigned(id, member)
    company.apply(revoke(id, assignment))
    assert.equal(mayDo(member.user, 'Billing:Read'), false)
    assert.equal(company.find(assignmentTable, assignment)?.status, 'ended')
    assert.equal(company.refusal(revoke(id, assignment)), 'there is no such assignment')
    assigned(id, member)
    assert.equal(mayDo(member.user, 'Billing:Read'), true)
  })

  it('ends where it was made: under its own permission', () => {
    const member = company.makeEndUser()
    const [id, other] = ['A', 'B'].map((name) => made({ name, operations: ['Keys:Read'] }))
    assert.ok(id && other)
    const assignment = assigned(id, member)
    assert.equal(company.refusal(revoke(other, assignment)), 'there is no such assignment')
    const unknown = revoke(id, new Uint8Array(32))
    assert.equal(company.refusal(unknown), 'there is no such assignment')
  })

  it('ends by force only where that is signed, which changes nothing while nobody must approve', () => {
    const member = company.makeEndUser()
    const id = made({ name: 'A', operations: ['Keys:Read'] })
    company.apply(revoke(id, assigned(id, member), '?force=true'))
    const odd = revoke(id, assigned(id, member), '?force=1')
    assert.equal(company.refusal(odd), 'the request asks for nothing that changes anything')
  })

  it('ends while the organization is frozen, and none is made', () => {
    const member = company.makeEndUser()
    const id = made({ name: 'A', operations: ['Keys:Read'] })
    const assignment = assigned(id, member)
    company.freeze(company.organization)
    const late = assign(id, company.makeEndUser().user, 'user')
    assert.equal(company.refusal(late), 'the organization is frozen')
    company.apply(revoke(id, assignment))
  })
})

describe('full access', () => {
  const locked = 'nobody would be left who may do everything'
  const employee = (
    change: Parameters<Company['makeEndUser']>[0] = {},
    rank: 'confirmed' | 'unconfirmed' = 'confirmed',
  ) => company.makeEndUser({ kind: 'employee', origin: 'invited', ...change }, rank)
  const firstAssignment = () =>
    company.find(grantsTable, company.admin.user)?.entries[0]?.assignment ?? new Uint8Array()
  const giveUp = () => revoke(managedOf(0), firstAssignment())

  it('cannot be taken from the last employee who has it', () => {
    assert.equal(company.refusal(giveUp()), locked)
    const second = employee()
    const assignment = assigned(managedOf(0), second)
    assert.deepEqual(company.find(holdersTable, managedOf(0))?.users, [
      company.admin.user,
      second.user,
    ])
    company.apply(giveUp())
    assert.deepEqual(company.find(holdersTable, managedOf(0))?.users, [second.user])
    const last = revoke(managedOf(0), assignment, '', second)
    assert.equal(company.refusal(last), locked)
  })

  it('is not left to whoever cannot act', () => {
    const inactive = employee({ status: 'inactive' })
    assigned(managedOf(0), inactive)
    assert.equal(company.refusal(giveUp()), locked)
    assigned(managedOf(0), employee({ credentials: [] }))
    assert.equal(company.refusal(giveUp()), locked)
    const recovering = employee()
    assigned(managedOf(0), recovering)
    const fingerprint = fingerprintOf(recovering.by.spki)
    const of = [recovering.user, fingerprint] as const
    for (const dead of [
      { kind: 'RecoveryKey' },
      { kind: 'Key', status: 'inactive' },
      { status: 'active', generation: 1 },
      { generation: 0, rank: 'unconfirmed' },
    ] as const) {
      company.alter(credentialTable, of, dead)
      assert.equal(company.refusal(giveUp()), locked)
    }
    company.alter(credentialTable, of, { rank: 'confirmed' })
    company.freeze(recovering.user)
    assert.equal(company.refusal(giveUp()), locked)
    company.write(frozenTable, [recovering.user], { freezes: [] })
    company.apply(giveUp())
  })

  it('stays with somebody when a user is switched off or archived', () => {
    const [second, machine] = [employee(), company.makeServiceAccount()]
    assigned(managedOf(0), second)
    company.apply(giveUp())
    const status = (path: string, method: string) => {
      const evidence = company.ask(machine, {
        ...{ method, path: `/auth/users/${second.name}${path}`, body: {} },
        ids: { userId: second.user },
      })
      return { kind: 'userStatus', evidence } as const
    }
    assert.equal(company.refusal(status('/deactivate', 'PUT')), locked)
    assert.equal(company.refusal(status('', 'DELETE')), locked)
    company.apply(assign(managedOf(0), company.admin.user, 'user', second))
    company.apply(status('/deactivate', 'PUT'))
    company.apply(status('/activate', 'PUT'))
  })

  it('of machines and end users does not count: their time is short, their reach is small', () => {
    assigned(managedOf(0), company.makeEndUser())
    // `machine` has it from the beginning.
    assert.deepEqual(company.find(holdersTable, managedOf(0))?.users, [company.admin.user])
    assert.equal(company.refusal(giveUp()), locked)
  })

  it('is for no more than can be kept in mind', () => {
    const users = Array.from({ length: holdersMax }, () => company.admin.user)
    company.write(holdersTable, [managedOf(0)], { users })
    const asked = assign(managedOf(0), employee().user, 'user')
    assert.equal(company.refusal(asked), 'too many may do everything')
    assert.equal(company.find(userTable, company.admin.user)?.status, 'active')
  })
})
