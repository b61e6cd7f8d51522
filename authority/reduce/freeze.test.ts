import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { idOf, nameOf } from '@quorate/core/id'
import { frozenTable, grantsTable, keyTable, organizationTable, userTable } from '../records.ts'
import { Company, type Member } from '../testing/company.ts'
import { encodeSigned, encodeStatement, freezeOf } from '../statement.ts'
import { assertionBy, makePerson, requestOf } from '../testing/world.ts'

/** Two members of the root quorum, either of whom is enough. */
function governed() {
  const company = new Company()
  const second = company.makeEndUser({ kind: 'employee', origin: 'invited' })
  const organization = company.find(organizationTable)
  assert.ok(organization)
  const members = [company.admin.user, second.user]
  company.write(organizationTable, [], { ...organization, rootQuorum: { needed: 1, members } })
  const worker = company.makeEndUser({ kind: 'employee', origin: 'invited' })
  return { company, admin: company.admin, second, worker, endUser: company.makeEndUser() }
}

function freeze(company: Company, author: Member, body: object, ids = {}) {
  const evidence = company.ask(author, { path: '/orgs/freezes', body, ids })
  return { kind: 'freeze', evidence } as const
}
const aUser = (company: Company, author: Member, { name, user }: Member) =>
  freeze(company, author, { userId: name }, { userId: user })
const aKey = (company: Company, author: Member, { name, id }: { name: string; id: Uint8Array }) =>
  freeze(company, author, { keyId: name }, { keyId: id })

function lift(company: Company, author: Member, freezeId: Uint8Array) {
  const path = `/orgs/freezes/${nameOf('freeze', freezeId)}`
  const wish = { method: 'DELETE', path, body: {}, ids: { freezeId } }
  return { kind: 'freeze', evidence: company.ask(author, wish) } as const
}
type Frozen = ReturnType<typeof freeze>
const idIn = ({ evidence }: Frozen) => idOf(requestOf(evidence), 'freeze')
const tag = (company: Company, author: Member) => {
  const made = company.ask(author, { path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } })
  return { kind: 'key', evidence: made } as const
}

/** A request that ends something of this name. */
function ending(
  company: Company,
  author: Member,
  kind: 'keyStatus' | 'userStatus' | 'feeSponsorUpdate' | 'assignmentEnd' | 'breakEnd',
  wish: { method?: string; path: string; ids: Record<string, Uint8Array> },
) {
  const evidence = company.ask(author, { method: 'DELETE', body: {}, ...wish })
  return { kind, evidence } as const
}
function pat(company: Company, author: Member) {
  const body = { name: 'pat', publicKey: makePerson().pem }
  const asked = {
    kind: 'token',
    evidence: company.ask(author, { path: '/auth/pats', body }),
  } as const
  company.apply(asked)
  const tokenId = idOf(requestOf(asked.evidence), 'token')
  const path = `/auth/pats/${nameOf('token', tokenId)}`
  const wish = { method: 'DELETE', path, body: {}, ids: { tokenId } }
  return { kind: 'tokenStatus', evidence: company.ask(author, wish) } as const
}
const anId = new Uint8Array(32).fill(3)

describe('a freeze', () => {
  it('of a user stops what he asks, and is lifted by a member of the root quorum', () => {
    const { company, admin, worker } = governed()
    const asked = aUser(company, admin, worker)
    assert.deepEqual(company.apply(asked), {
      ...{ kind: 'freeze', freeze: idIn(asked), what: 'user', target: worker.user },
      status: 'active',
    })
    assert.equal(company.refusal(tag(company, worker)), 'the user is frozen')
    company.apply(lift(company, admin, idIn(asked)))
    assert.deepEqual(company.find(frozenTable, worker.user)?.freezes, [])
    assert.notEqual(company.refusal(tag(company, worker)), 'the user is frozen')
  })

  it('of the organization stops everybody, and is for the root quorum to begin', () => {
    const { company, admin, second, worker } = governed()
    const refused = freeze(company, worker, {})
    assert.equal(company.refusal(refused), 'the author is not of the root quorum')
    const asked = freeze(company, second, {})
    company.apply(asked)
    for (const author of [admin, worker, second])
      assert.equal(company.refusal(tag(company, author)), 'the organization is frozen')
    company.apply(lift(company, admin, idIn(asked)))
    assert.notEqual(company.refusal(tag(company, admin)), 'the organization is frozen')
  })

  it('of a user leaves him the end of what is his own, and of nothing else', () => {
    const { company, worker, second, endUser } = governed()
    const key = company.makeKey(company.machine)
    const [own, machine] = [pat(company, worker), company.makeServiceAccount()]
    const [userId, keyId, serviceAccountId] = [endUser.user, key.id, machine.user]
    const users = `/auth/users/${endUser.name}`
    const accounts = `/auth/service-accounts/${machine.name}`
    const sponsor = `/fee-sponsors/${nameOf('feeSponsor', anId)}`
    const permission = `/permissions/${nameOf('permission', anId)}`
    const assignment = `${permission}/assignments/${nameOf('assignment', anId)}`
    const ends = [
      ending(company, worker, 'keyStatus', { path: `/keys/${key.name}`, ids: { keyId } }),
      ...[
        { path: users, ids: { userId } },
        { path: accounts, ids: { serviceAccountId } },
        { method: 'PUT', path: `${users}/deactivate`, ids: { userId } },
        { method: 'PUT', path: `${accounts}/deactivate`, ids: { serviceAccountId } },
      ].map((wish) => ending(company, worker, 'userStatus', wish)),
      ...[
        { path: sponsor, ids: { feeSponsorId: anId } },
        { method: 'PUT', path: `${sponsor}/deactivate`, ids: { feeSponsorId: anId } },
      ].map((wish) => ending(company, worker, 'feeSponsorUpdate', wish)),
      ending(company, worker, 'assignmentEnd', {
        ...{ path: assignment, ids: { permissionId: anId, assignmentId: anId } },
      }),
      ending(company, worker, 'breakEnd', {
        ...{ path: `/v2/policies/${nameOf('policy', anId)}/break`, ids: { policyId: anId } },
      }),
    ]
    for (const one of ends) assert.notEqual(company.refusal(one), 'the user is frozen')
    company.freeze(worker.user)
    for (const one of ends) assert.equal(company.refusal(one), 'the user is frozen')
    company.apply(own)
    // Another freeze can be lifted again, and may be what stops the one who has frozen him.
    company.apply(aUser(company, worker, second))
  })

  it('of the organization lets nothing be ended that nobody brings back', () => {
    const { company, admin, worker, endUser } = governed()
    const key = company.makeKey(company.machine)
    const own = pat(company, worker)
    const [machine, users] = [company.machine, `/auth/users/${endUser.name}`]
    const ids = { userId: endUser.user }
    company.freeze(company.organization)
    for (const [kind, wish] of [
      ['keyStatus', { path: `/keys/${key.name}`, ids: { keyId: key.id } }],
      ['userStatus', { path: users, ids }],
      [
        'userStatus',
        {
          path: `/auth/service-accounts/${machine.name}`,
          ids: { serviceAccountId: machine.user },
        },
      ],
      [
        'feeSponsorUpdate',
        { path: `/fee-sponsors/${nameOf('feeSponsor', anId)}`, ids: { feeSponsorId: anId } },
      ],
    ] as const) {
      const final = ending(company, admin, kind, wish)
      assert.equal(company.refusal(final), 'the organization is frozen', wish.path)
    }
    const path = `${users}/deactivate`
    company.apply(ending(company, admin, 'userStatus', { method: 'PUT', path, ids }))
    company.apply(own)
  })

  it('of himself is anybody’s own affair, of another it takes the right to deactivate', () => {
    const { company, admin, worker, endUser } = governed()
    const [first, second] = [company.makeEndUser(), company.makeEndUser()]
    company.apply(aUser(company, first, first))
    const reason = 'not authorized to perform operation (Auth:Users:Deactivate)'
    assert.equal(company.refusal(aUser(company, endUser, second)), reason)
    company.apply(aUser(company, worker, second))
    company.write(grantsTable, [worker.user], { entries: [] })
    assert.equal(company.refusal(aUser(company, worker, endUser)), reason)
    company.apply(aUser(company, admin, endUser))
  })

  it('of a key is for its owner, or takes the right to update keys', () => {
    const { company, worker, endUser } = governed()
    const [own, other] = [company.makeKey(company.machine), company.makeKey(company.machine)]
    company.alter(keyTable, [own.id], { owner: endUser.user })
    const reason = 'not authorized to perform operation (Keys:Update)'
    assert.equal(company.refusal(aKey(company, endUser, other)), reason)
    company.apply(aKey(company, endUser, own))
    company.apply(aKey(company, worker, other))
    company.write(grantsTable, [worker.user], { entries: [] })
    const third = company.makeKey(company.machine)
    assert.equal(company.refusal(aKey(company, worker, third)), reason)
  })

  it('is of one thing, that there is, and once', () => {
    const { company, admin, worker } = governed()
    const key = company.makeKey(company.machine)
    const ids = { userId: worker.user, keyId: key.id }
    const both = { userId: worker.name, keyId: key.name }
    assert.equal(
      company.refusal(freeze(company, admin, both, ids)),
      'a freeze is of a user or of a key',
    )
    assert.equal(company.refusal(freeze(company, admin, { all: true })), 'all is unknown')
    const nobody = { ...worker, user: new Uint8Array(32), name: nameOf('user', new Uint8Array(32)) }
    assert.equal(company.refusal(aUser(company, admin, nobody)), 'there is no such user')
    const noKey = { id: new Uint8Array(32), name: nameOf('key', new Uint8Array(32)) }
    assert.equal(company.refusal(aKey(company, admin, noKey)), 'there is no such key')
    company.apply(aUser(company, admin, worker))
    assert.equal(company.refusal(aUser(company, admin, worker)), 'it is frozen already')
  })

  it('by a statement is entered by a root member, and lifted in the place of it', () => {
    const { company, admin, worker, endUser } = governed()
    const said = (kind: 'freezeUser' | 'revokeToken', organization = company.organization) => {
      const [nonce, target] = [new Uint8Array(32), endUser.user]
      const words = { organization, user: worker.user, kind, target, nonce, issuedAt: 0 }
      const encoded = encodeStatement(words)
      const statement = toHex(encodeSigned(encoded, assertionBy(worker.by, encoded)))
      return { statement, id: freezeOf(sha256(encoded)) }
    }
    const { statement, id } = said('freezeUser')
    const refusals = [
      [worker, { statement }, 'the author is not of the root quorum'],
      [admin, { statement: said('revokeToken').statement }, 'the statement freezes nothing'],
      [
        admin,
        { statement: said('freezeUser', new Uint8Array(32)).statement },
        'it is no statement of this organization',
      ],
    ] as const
    for (const [author, body, reason] of refusals)
      assert.equal(company.refusal(freeze(company, author, body)), reason)
    // Beside one that stands already: each is lifted for itself.
    const other = aUser(company, admin, endUser)
    company.apply(other)
    company.apply(freeze(company, admin, { statement }))
    company.apply(lift(company, admin, idIn(other)))
    assert.deepEqual(company.find(frozenTable, endUser.user)?.freezes, [id])
    company.apply(lift(company, admin, id))
    assert.deepEqual(company.find(frozenTable, endUser.user)?.freezes, [])
    const again = freeze(company, admin, { statement })
    assert.equal(company.refusal(again), 'the statement was entered already')
  })

  it('leaves somebody who can lift it', () => {
    const { company, admin, second } = governed()
    const asked = aUser(company, admin, second)
    company.apply(asked)
    assert.equal(company.refusal(aUser(company, second, admin)), 'nobody would be left to lift it')
    company.apply(lift(company, admin, idIn(asked)))
    company.alter(userTable, [second.user], { status: 'inactive' })
    assert.equal(company.refusal(aUser(company, admin, admin)), 'nobody would be left to lift it')
  })

  it('is lifted by no frozen member, by nobody else, and once', () => {
    const { company, admin, second, worker } = governed()
    const [ofAll, ofSecond] = [freeze(company, admin, {}), aUser(company, admin, second)]
    for (const asked of [ofAll, ofSecond]) company.apply(asked)
    assert.equal(company.refusal(lift(company, second, idIn(ofAll))), 'the user is frozen')
    assert.equal(
      company.refusal(lift(company, worker, idIn(ofAll))),
      'the author is not of the root quorum',
    )
    company.apply(lift(company, admin, idIn(ofAll)))
    assert.equal(company.refusal(lift(company, admin, idIn(ofAll))), 'there is no such freeze')
  })
})
