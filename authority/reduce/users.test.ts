import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { idOf, nameOf } from '@quorate/core/id'
import {
  grantsTable,
  organizationTable,
  permissionNameTable,
  permissionTable,
  settingsTable,
  tokenTable,
  userTable,
} from '../records.ts'
import { defaultSettings } from '../settings.ts'
import { isTokenLive, rightsOf } from '../standing.ts'
import { Company, type Member } from '../testing/company.ts'
import { completed, openCompletion } from '../testing/completion.ts'
import { makePerson, requestOf, t0 } from '../testing/world.ts'

const invitation = { email: 'bob@example.test', kind: 'CustomerEmployee' }
const enrolment = { email: 'eve@example.test', kind: 'EndUser' }

function invite(company: Company, body: object = invitation, by: Member = company.admin) {
  return { kind: 'user', evidence: company.ask(by, { path: '/auth/users', body }) } as const
}
function enrol(company: Company, body: object = enrolment) {
  const wish = { path: '/auth/registration/delegated', body }
  return { kind: 'user', evidence: company.ask(company.machine, wish) } as const
}
function userOf({ evidence }: ReturnType<typeof invite>): Uint8Array {
  return idOf(requestOf(evidence), 'user')
}
function invited(company: Company, body?: object) {
  const made = invite(company, body)
  company.apply(made)
  return { user: userOf(made), name: nameOf('user', userOf(made)) }
}

describe('an invited employee', () => {
  it('is there without any credential, and by whose word is written down', () => {
    const company = new Company()
    const { user } = invited(company)
    const { registered, credentials, inviter, origin, kind, ssoRequired } =
      company.find(userTable, user) ?? assert.fail()
    assert.deepEqual(
      { registered, credentials, inviter, origin, kind, ssoRequired },
      {
        ...{ registered: 'no', credentials: [], inviter: company.admin.user },
        ...{ origin: 'invited', kind: 'employee', ssoRequired: 'no' },
      },
    )
    assert.equal(company.find(grantsTable, user), undefined)
  })

  it('may have a key pinned that must sign his enrolment', () => {
    const company = new Company()
    const { pem, spki } = makePerson()
    const { user } = invited(company, { ...invitation, publicKey: pem, isSSORequired: true })
    const record = company.find(userTable, user) ?? assert.fail()
    assert.deepEqual(record.pinned, spki)
    assert.equal(record.ssoRequired, 'yes')
    const broken = { ...invitation, publicKey: 'no key' }
    assert.match(company.refusal(invite(company, broken)) ?? '', /public key is not usable/)
  })

  it('is no end user, and invites nobody without a permission', () => {
    const company = new Company()
    const asEndUser = invite(company, { ...invitation, kind: 'EndUser' })
    assert.match(company.refusal(asEndUser) ?? '', /only employees are invited/)
    const nobody = company.makeEndUser({ kind: 'employee' })
    company.write(grantsTable, [nobody.user], { entries: [] })
    const bold = invite(company, invitation, nobody)
    assert.match(company.refusal(bold) ?? '', /not authorized .*Auth:Users:Create/)
  })
})

describe('an end user registered by a service account', () => {
  it('is born with what end users may do', () => {
    const company = new Company()
    const made = enrol(company)
    company.apply(made)
    const user = idOf(requestOf(made.evidence), 'user')
    const { kind, origin, inviter } = company.find(userTable, user) ?? assert.fail()
    const by = company.machine.user
    assert.deepEqual(
      { kind, origin, inviter },
      { kind: 'endUser', origin: 'delegated', inviter: by },
    )
    const records = { find: company.find.bind(company) }
    const rights = rightsOf(records, user)
    assert.ok(rights.names.has('Keys:Signatures:Create') && !rights.all)
    assert.ok(!rights.names.has('Auth:Users:Create'))
  })

  it('is born with nothing where that permission was archived', () => {
    const company = new Company()
    const name = company.find(permissionNameTable, 'ManagedDefaultEndUserAccess') ?? assert.fail()
    company.alter(permissionTable, [name.permission], { status: 'archived' })
    const made = enrol(company)
    company.apply(made)
    assert.equal(company.find(grantsTable, idOf(requestOf(made.evidence), 'user')), undefined)
  })

  it('is no employee, who would be one by the word of a machine', () => {
    const company = new Company()
    const bold = enrol(company, { ...enrolment, kind: 'CustomerEmployee' })
    assert.match(company.refusal(bold) ?? '', /only end users/)
  })
})

describe('an end user who comes by himself', () => {
  const path = '/auth/registration/social'
  const opened = ({ organization }: Company, user?: Uint8Array) =>
    openCompletion({ organization, user, purpose: 'social', path })
  const issuer = {
    ...{ use: 'social', issuer: 'https://id.example.test', clientIds: ['us'], redirectUris: [] },
  } as const
  function social(use: 'social' | 'sso' = 'social'): Company {
    const company = new Company()
    company.write(settingsTable, [], { ...defaultSettings, issuers: [{ ...issuer, use }] })
    return company
  }

  it('is born where the organization has a provider of social login', () => {
    const company = social()
    const evidence = completed(opened(company), enrolment)
    const made = company.apply({ kind: 'user', evidence })
    assert.ok(made.kind === 'user' && made.origin === 'social' && made.userKind === 'endUser')
    assert.equal(company.find(grantsTable, made.user)?.entries.length, 1)
  })

  it('is not born where there is none', () => {
    for (const company of [new Company(), social('sso')]) {
      const evidence = completed(opened(company), enrolment)
      assert.match(company.refusal({ kind: 'user', evidence }) ?? '', /no provider of social login/)
    }
  })

  it('is nobody who is there already, and rests on nothing else', () => {
    const company = social()
    const known = completed(opened(company, company.admin.user), enrolment)
    assert.match(company.refusal({ kind: 'user', evidence: known }) ?? '', /is there already/)
    const evidence = { ...completed(opened(company), enrolment), facts: new Uint8Array(1) }
    assert.match(company.refusal({ kind: 'user', evidence }) ?? '', /rests on nothing else/)
  })

  it('is born once by one challenge', () => {
    const company = social()
    const challenge = opened(company)
    company.apply({ kind: 'user', evidence: completed(challenge, enrolment) })
    const again = completed(challenge, { ...enrolment, email: 'another@example.test' })
    assert.match(company.refusal({ kind: 'user', evidence: again }) ?? '', /has been used/)
  })
})

describe('an update of a user', () => {
  const update = (
    company: Company,
    { user, name }: { user: Uint8Array; name: string },
    body = {},
  ) =>
    ({
      kind: 'userUpdate',
      evidence: company.ask(company.admin, {
        ...{ method: 'PUT', path: `/auth/users/${name}`, body, ids: { userId: user } },
      }),
    }) as const

  it('says whether he logs in through his employer alone', () => {
    const company = new Company()
    const bob = invited(company)
    company.apply(update(company, bob, { isSSORequired: true }))
    assert.equal(company.find(userTable, bob.user)?.ssoRequired, 'yes')
    company.apply(update(company, bob, { isSSORequired: false }))
    assert.equal(company.find(userTable, bob.user)?.ssoRequired, 'no')
  })

  it('changes something, and of a person who is there', () => {
    const company = new Company()
    const bob = invited(company)
    assert.match(company.refusal(update(company, bob)) ?? '', /nothing is updated/)
    const body = { isSSORequired: true }
    const machine = update(company, company.machine, body)
    assert.match(company.refusal(machine) ?? '', /is a service account/)
    const [id] = [new Uint8Array(32).fill(8)]
    const nobody = update(company, { user: id, name: nameOf('user', id) }, body)
    assert.match(company.refusal(nobody) ?? '', /no such user/)
    company.alter(userTable, [bob.user], { status: 'archived' })
    assert.match(company.refusal(update(company, bob, body)) ?? '', /is archived/)
  })
})

type Verb = 'activate' | 'deactivate' | 'archive'
type Named = { readonly user: Uint8Array; readonly name: string }
function change(
  company: Company,
  { user, name }: Named,
  verb: Verb,
  { by = company.admin, of = 'users' }: { by?: Member; of?: 'users' | 'service-accounts' } = {},
) {
  const role = of === 'users' ? 'userId' : 'serviceAccountId'
  const path = `/auth/${of}/${name}${verb === 'archive' ? '' : `/${verb}`}`
  const method = verb === 'archive' ? 'DELETE' : 'PUT'
  const evidence = company.ask(by, { method, path, body: {}, ids: { [role]: user } })
  return { kind: 'userStatus', evidence } as const
}

describe('the status of a user', () => {
  it('goes to and fro between active and inactive, and archived is the end', () => {
    const company = new Company()
    const bob = invited(company)
    const steps = [
      ['deactivate', 'inactive'],
      ['activate', 'active'],
      ['archive', 'archived'],
    ] as const
    for (const [verb, status] of steps) {
      company.apply(change(company, bob, verb))
      assert.equal(company.find(userTable, bob.user)?.status, status)
    }
    for (const verb of ['activate', 'deactivate', 'archive'] as const)
      assert.match(company.refusal(change(company, bob, verb)) ?? '', /is archived/)
  })

  it('is that of a service account only by the requests for those, and his tokens follow', () => {
    const company = new Company()
    const machine = company.makeServiceAccount()
    const bob = invited(company)
    for (const verb of ['activate', 'deactivate', 'archive'] as const) {
      const asUser = change(company, machine, verb)
      assert.match(company.refusal(asUser) ?? '', /another kind/, verb)
      const asMachine = change(company, bob, verb, { of: 'service-accounts' })
      assert.match(company.refusal(asMachine) ?? '', /another kind/, verb)
    }
    company.apply(change(company, machine, 'deactivate', { of: 'service-accounts' }))
    const token = company.find(tokenTable, machine.token ?? assert.fail()) ?? assert.fail()
    assert.ok(!isTokenLive({ find: company.find.bind(company) }, token, t0))
  })

  it('leaves whoever is inactive without a word', () => {
    const company = new Company()
    const bob = company.makeEndUser({ kind: 'employee' })
    company.apply(change(company, bob, 'deactivate'))
    const bold = invite(company, invitation, bob)
    assert.match(company.refusal(bold) ?? '', /the user is not active/)
    company.apply(change(company, bob, 'activate'))
    company.apply(bold)
  })

  it('is not taken from oneself', () => {
    const company = new Company()
    for (const verb of ['deactivate', 'archive'] as const) {
      assert.match(
        company.refusal(change(company, company.admin, verb)) ?? '',
        /nobody takes himself/,
      )
      const of = 'service-accounts'
      const own = change(company, company.machine, verb, { by: company.machine, of })
      assert.match(company.refusal(own) ?? '', /nobody takes himself/)
    }
  })
})

describe('the last of a root quorum', () => {
  it('is neither deactivated nor archived, not even one after the other', () => {
    const company = new Company()
    const { admin, machine } = company
    const [bob, eve] = [company.makeEndUser({ kind: 'employee' }), company.makeEndUser()]
    company.assign(bob)
    const last = /root quorum could not be reached/
    for (const verb of ['deactivate', 'archive'] as const)
      assert.match(company.refusal(change(company, admin, verb, { by: machine })) ?? '', last)
    const organization = company.find(organizationTable) ?? assert.fail()
    const members = [admin, bob].map(({ user }) => user)
    const rootQuorum = { needed: 1, members }
    company.write(organizationTable, [], { ...organization, rootQuorum })
    company.apply(change(company, eve, 'deactivate'))
    company.apply(change(company, bob, 'deactivate'))
    assert.match(company.refusal(change(company, admin, 'archive', { by: machine })) ?? '', last)
    company.apply(change(company, bob, 'activate'))
    company.apply(change(company, admin, 'archive', { by: machine }))
  })

  it('is nobody who is frozen, for he lifts nothing and changes nothing', () => {
    const company = new Company()
    const { admin, machine } = company
    const [bob, eve] = [1, 2].map(() => company.makeEndUser({ kind: 'employee' }))
    assert.ok(bob && eve)
    for (const one of [bob, eve]) company.assign(one)
    const organization = company.find(organizationTable) ?? assert.fail()
    const rootQuorum = { needed: 1, members: [admin, bob].map(({ user }) => user) }
    company.write(organizationTable, [], { ...organization, rootQuorum })
    company.freeze(bob.user)
    const last = /root quorum could not be reached/
    for (const verb of ['deactivate', 'archive'] as const)
      assert.match(company.refusal(change(company, admin, verb, { by: machine })) ?? '', last)
    company.apply(change(company, bob, 'archive', { by: machine }))
  })
})
