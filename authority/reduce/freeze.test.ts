import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { idOf, nameOf } from '@quorate/core/id'
import { frozenTable, grantsTable, keyTable, organizationTable, userTable } from '../records.ts'
import { Company, type Member } from '../testing/company.ts'
import { encodeSigned, encodeStatement, freezeOf } from '../statement.ts'
import { assertionBy, requestOf } from '../testing/world.ts'

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
