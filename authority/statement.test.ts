import assert from 'node:assert/strict'
import { randomBytes, sign } from 'node:crypto'
import { describe, it } from 'node:test'
import { clientDataFor } from './client-data.ts'
import { fingerprintOf } from './credential.ts'
import {
  breakTable,
  credentialIdTable,
  credentialTable,
  decodeRecord,
  denialTable,
  freezeTable,
  grantsTable,
  keyTable,
  organizationTable,
  recordKey,
  recoveryTable,
  tokenTable,
  userTable,
} from './records.ts'
import { recoveryWaitMsMax } from './settings.ts'
import type { RootRecords } from './standing.ts'
import {
  encodeSigned,
  encodeStatement,
  freezeOf,
  overridesOf,
  readStatement,
  refusedStatement,
  statementChallenge,
  type Statement,
} from './statement.ts'
import { Company, type Member } from './testing/company.ts'
import { makePerson, t0, type Person } from './testing/world.ts'

const company = new Company()
const { admin, machine, organization } = company
const records: RootRecords = { find: (table, ...name) => company.find(table, ...name) }

function said(
  { user, by }: Pick<Member, 'user' | 'by'>,
  kind: Statement['kind'],
  target: Uint8Array,
  signer: Person = by,
) {
  const nonce = new Uint8Array(randomBytes(32))
  const encoded = encodeStatement({ organization, user, kind, target, nonce, issuedAt: t0 })
  const clientData = clientDataFor(statementChallenge(encoded))
  const algorithm = signer.key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  const signature = new Uint8Array(sign(algorithm, clientData, signer.key))
  const fingerprint = fingerprintOf(by.spki)
  const signed = { fingerprint, clientData, signature, authenticatorData: undefined }
  const read = readStatement(encodeSigned(encoded, signed))
  assert.ok(read)
  return read
}
const refusal = (...args: Parameters<typeof said>) => refusedStatement(records, said(...args), t0)
const mayNot = 'the author may not take this away'

describe('a statement', () => {
  it('is believed by the signature of a live and confirmed credential alone', () => {
    const member = company.makeEndUser()
    assert.equal(refusal(member, 'freezeUser', member.user), undefined)
    const forged = refusal(member, 'freezeUser', member.user, makePerson())
    assert.equal(forged, 'the signature is not valid')
    const newcomer = company.makeEndUser({}, 'unconfirmed')
    const early = refusal(newcomer, 'freezeUser', newcomer.user)
    assert.equal(early, 'the credential is not confirmed')
    const name = [member.user, fingerprintOf(member.by.spki)] as const
    company.alter(credentialTable, [...name], { status: 'inactive' })
    assert.equal(refusal(member, 'freezeUser', member.user), 'the credential is not active')
    const gone = company.makeEndUser({ status: 'inactive' })
    assert.equal(refusal(gone, 'freezeUser', gone.user), 'the user is not active')
  })

  it('is not for recovery keys, which sign recoveries alone', () => {
    const member = company.makeEndUser()
    const name = [member.user, fingerprintOf(member.by.spki)] as const
    company.alter(credentialTable, [...name], { kind: 'RecoveryKey' })
    const reason = 'a recovery key signs recoveries alone'
    assert.equal(refusal(member, 'freezeUser', member.user), reason)
  })

  it('counts for what was signed and nothing else', () => {
    const [member, other] = [company.makeEndUser(), company.makeEndUser()]
    const read = said(member, 'freezeUser', member.user)
    const changed = { ...read, challenge: said(member, 'freezeUser', other.user).challenge }
    assert.equal(refusedStatement(records, changed, t0), 'the signature is not valid')
  })

  it('stops the organization by the word of a root member', () => {
    const colleague = company.makeEndUser({ kind: 'employee' })
    assert.equal(refusal(admin, 'freezeOrganization', organization), undefined)
    assert.equal(refusal(colleague, 'freezeOrganization', organization), mayNot)
    assert.equal(refusal(admin, 'freezeOrganization', new Uint8Array(32)), mayNot)
  })

  it('stops another user or a key with the right to do so, and never by an end user', () => {
    const [member, other] = [company.makeEndUser(), company.makeEndUser()]
    const [own, key] = [company.makeKey(machine), company.makeKey(machine)]
    company.alter(keyTable, [own.id], { owner: member.user })
    assert.equal(refusal(machine, 'freezeUser', member.user), undefined)
    assert.equal(refusal(machine, 'freezeKey', key.id), undefined)
    assert.equal(refusal(member, 'freezeKey', own.id), undefined)
    assert.equal(refusal(member, 'freezeUser', other.user), mayNot)
    assert.equal(refusal(member, 'freezeKey', key.id), mayNot)
    const colleague = company.makeEndUser({ kind: 'employee' })
    company.write(grantsTable, [colleague.user], { entries: [] })
    assert.equal(refusal(colleague, 'freezeUser', other.user), mayNot)
    assert.equal(refusal(colleague, 'freezeKey', key.id), mayNot)
  })

  it('ends a token of the author, or of a service account by whoever may deactivate those', () => {
    const token = machine.token ?? new Uint8Array(32)
    assert.equal(refusal(machine, 'revokeToken', token), undefined)
    assert.equal(refusal(admin, 'revokeToken', token), undefined)
    assert.equal(refusal(company.makeEndUser(), 'revokeToken', token), mayNot)
    company.alter(tokenTable, [token], { status: 'inactive' })
    assert.equal(refusal(machine, 'revokeToken', token), 'the token is not active')
    company.alter(tokenTable, [token], { status: 'active' })
  })

  it('cancels the author’s own recovery while that waits', () => {
    const [member, other] = [company.makeEndUser(), company.makeEndUser()]
    const id = new Uint8Array(randomBytes(32))
    const waiting = { effectiveAt: t0 + 1_000, generation: 1 }
    company.alter(userTable, [member.user], { recovery: { id, ...waiting } })
    company.write(recoveryTable, [id], { user: member.user, status: 'waiting', ...waiting })
    assert.equal(refusal(member, 'cancelRecovery', id), undefined)
    assert.equal(refusal(other, 'cancelRecovery', id), mayNot)
    company.alter(recoveryTable, [id], { status: 'cancelled' })
    assert.equal(refusal(member, 'cancelRecovery', id), mayNot)
  })

  it('denies an approval by whoever may decide on approvals', () => {
    const approval = new Uint8Array(randomBytes(32))
    assert.equal(refusal(admin, 'denyApproval', approval), undefined)
    assert.equal(refusal(company.makeEndUser(), 'denyApproval', approval), mayNot)
    const colleague = company.makeEndUser({ kind: 'employee' })
    company.write(grantsTable, [colleague.user], { entries: [] })
    assert.equal(refusal(colleague, 'denyApproval', approval), mayNot)
    const [write] = overridesOf(records, said(admin, 'denyApproval', approval))
    assert.equal(write?.key, recordKey(denialTable, approval))
  })

  it('keeps a policy while its break-glass quorum is ending it, for that one time', () => {
    const policy = new Uint8Array(randomBytes(32))
    const colleague = company.makeEndUser({ kind: 'employee' })
    assert.equal(refusal(colleague, 'keepPolicy', policy), mayNot)
    const ending = (effectiveAt: number | undefined) =>
      company.write(breakTable, [policy], { signedBy: [], expiresAt: t0, effectiveAt })
    ending(t0 + 1)
    assert.equal(refusal(colleague, 'keepPolicy', policy), undefined)
    assert.equal(refusal(company.makeEndUser(), 'keepPolicy', policy), mayNot)
    assert.equal(refusal(machine, 'keepPolicy', policy), mayNot)
    const kept = () => overridesOf(records, said(colleague, 'keepPolicy', policy)).length
    assert.equal(kept(), 1)
    for (const other of [undefined, t0 - 1, t0 + recoveryWaitMsMax + 1]) {
      ending(other)
      assert.equal(kept(), 0)
    }
    ending(t0)
    assert.equal(refusal(colleague, 'keepPolicy', policy), mayNot)
  })

  it('cancels rank for rank: what brings anything confirmed is held up by no newcomer', () => {
    const newcomer = company.makeEndUser({}, 'unconfirmed')
    const [id, by] = [new Uint8Array(randomBytes(32)), makePerson()]
    const waiting = { effectiveAt: t0 + 1_000, generation: 1 }
    const own = fingerprintOf(newcomer.by.spki)
    const brought = fingerprintOf(by.spki)
    company.alter(userTable, [newcomer.user], {
      ...{ recovery: { id, ...waiting }, credentials: [own, brought] },
    })
    company.write(recoveryTable, [id], { user: newcomer.user, status: 'waiting', ...waiting })
    const bring = (rank: 'confirmed' | 'unconfirmed') =>
      company.write(credentialTable, [newcomer.user, brought], {
        ...(company.find(credentialTable, newcomer.user, own) ?? assert.fail()),
        ...{ spki: by.spki, rank, generation: 1 },
      })
    bring('unconfirmed')
    assert.equal(refusal(newcomer, 'cancelRecovery', id), undefined)
    bring('confirmed')
    assert.equal(refusal(newcomer, 'cancelRecovery', id), 'the credential is not confirmed')
  })

  it('of somebody who is frozen ends what is his own, and freezes what can be lifted', () => {
    const thief = company.makeEndUser({ kind: 'employee' })
    const [policy, approval] = [new Uint8Array(randomBytes(32)), new Uint8Array(randomBytes(32))]
    company.write(breakTable, [policy], { signedBy: [], expiresAt: t0, effectiveAt: t0 + 1 })
    const token = machine.token ?? assert.fail()
    const others = [
      ['revokeToken', token],
      ['denyApproval', approval],
      ['keepPolicy', policy],
    ] as const
    for (const [kind, target] of others) assert.equal(refusal(thief, kind, target), undefined)
    company.freeze(thief.user)
    for (const [kind, target] of others)
      assert.equal(refusal(thief, kind, target), 'the user is frozen')
    const [fingerprint, own] = [fingerprintOf(thief.by.spki), new Uint8Array(randomBytes(32))]
    const { id } = company.find(credentialTable, thief.user, fingerprint) ?? assert.fail()
    company.write(credentialIdTable, [id], { user: thief.user, fingerprint })
    const known = company.find(tokenTable, token) ?? assert.fail()
    company.write(tokenTable, [own], { ...known, user: thief.user })
    assert.equal(refusal(thief, 'revokeCredential', id), undefined)
    assert.equal(refusal(thief, 'revokeToken', own), undefined)
    assert.equal(refusal(thief, 'freezeUser', machine.user), undefined)
  })

  it('leaves somebody who can lift what it stops, with those before it', () => {
    const forEver = 'nobody would be left to lift it'
    assert.equal(refusal(machine, 'freezeUser', admin.user), forEver)
    assert.equal(refusal(admin, 'freezeUser', admin.user), forEver)
    const second = company.makeEndUser({ kind: 'employee' })
    const known = company.find(organizationTable) ?? assert.fail()
    const members = [admin.user, second.user]
    company.write(organizationTable, [], { ...known, rootQuorum: { needed: 1, members } })
    const of = (target: Uint8Array) => said(machine, 'freezeUser', target)
    const first = of(admin.user)
    assert.equal(refusedStatement(records, first, t0), undefined)
    const overrides = overridesOf(records, first)
    const restricted: RootRecords = {
      find: (table, ...name) => {
        const key = recordKey(table, ...name)
        const one = overrides.find((override) => override.key === key)
        return one === undefined ? records.find(table, ...name) : decodeRecord(table, one.value)
      },
    }
    assert.equal(refusedStatement(records, of(second.user), t0, restricted), forEver)
    company.write(organizationTable, [], known)
  })

  it('of a freeze ends when the log says that it was lifted', () => {
    const member = company.makeEndUser()
    const read = said(member, 'freezeUser', member.user)
    assert.equal(overridesOf(records, read).length, 1)
    const ended = { what: 'user', target: member.user, status: 'ended' } as const
    company.write(freezeTable, [freezeOf(read.hash)], ended)
    assert.deepEqual(overridesOf(records, read), [])
  })
})
