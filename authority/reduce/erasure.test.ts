import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '@quorate/core/bytes'
import { idOf, nameOf } from '@quorate/core/id'
import { decodeBody, encodeBody, type Body } from '../body.ts'
import { eraseIn, erased } from '../erasure.ts'
import { operationNames, operations, type OperationName } from '../operations.ts'
import { erasureTable, keyTable, settingsTable, userTable } from '../records.ts'
import { challengeOf, commitTo, decodePreimage, encodePreimage } from '../request.ts'
import { defaultSettings } from '../settings.ts'
import type { RootRecords } from '../standing.ts'
import {
  decodeEvidence,
  encodeEvidence,
  encodeStep,
  type ErasedEvidence,
  type Evidence,
} from '../step.ts'
import { Company, type Made, type Member } from '../testing/company.ts'
import { completed, openCompletion } from '../testing/completion.ts'
import { newKeyCredential } from '../testing/key-credential.ts'
import { makePerson, requestOf, t0 } from '../testing/world.ts'
import { unseen } from './asked.ts'
import { reduceStep } from './step.ts'

const mail = 'bob@example.test'
const words = { name: mail, externalId: mail }

function invite(company: Company): Made {
  const body = { email: mail, kind: 'CustomerEmployee', externalId: mail }
  return { kind: 'user', evidence: company.ask(company.admin, { path: '/auth/users', body }) }
}

function left(evidence: Evidence): ErasedEvidence {
  return erased(evidence) ?? assert.fail('nothing is erased')
}

/** A step that is valid, judged again with other evidence. */
function verdictOf(company: Company, made: Made, beside: (of: ErasedEvidence) => Evidence) {
  const outcome = company.try(made)
  assert.ok(outcome.ok)
  const evidence = [beside(left(made.evidence))]
  const again = reduceStep(outcome.step, evidence, company.records, company.rules)
  return again.ok ? undefined : again.reason
}

describe('evidence without its erasable members', () => {
  const company = new Company()
  const made = invite(company)

  it('still proves who asked for what, and says nothing of what is gone', () => {
    assert.equal(
      verdictOf(company, made, (of) => of),
      undefined,
    )
    const encoded = encodeEvidence(left(made.evidence))
    assert.ok(!Buffer.from(encoded).includes(mail))
    assert.deepEqual(decodeEvidence(encoded), left(made.evidence))
    assert.ok(made.evidence.salt && !toHex(encoded).includes(toHex(made.evidence.salt)))
  })

  it('lacks nothing but what the operation lets go', () => {
    const hiding = (name: string, member: string) => (of: ErasedEvidence) => ({
      ...of,
      payload: of.payload.replace(/"kind":"[A-Za-z]*"/, ''),
      traces: of.traces.map((trace) =>
        trace.kind === 'kept' ? ({ kind: 'erased', name, value: valueOf(member) } as const) : trace,
      ),
    })
    // What the leaf of `kind` holds, as somebody knows it who has seen the whole.
    const valueOf = (member: string) => {
      const { salt, payload } = made.evidence
      const body = JSON.parse(payload) as Record<string, string>
      const other = { ...body, email: body[member] ?? '' }
      assert.ok(salt)
      const [first] = left({ ...made.evidence, payload: JSON.stringify(other) }).traces
      return first?.kind === 'erased' ? first.value : assert.fail()
    }
    const reason = 'the payload is not the one that was signed'
    assert.equal(verdictOf(company, made, hiding('kind', 'kind')), reason)
    assert.equal(verdictOf(company, made, hiding('name', 'kind')), reason)
    assert.equal(verdictOf(company, made, hiding('email', 'kind')), reason)
  })

  it('proves every name and value, in their order', () => {
    const reason = 'the payload is not the one that was signed'
    const changes: readonly ((of: ErasedEvidence) => Evidence)[] = [
      (of) => ({ ...of, traces: of.traces.toReversed() }),
      (of) => ({ ...of, traces: of.traces.slice(1) }),
      (of) => ({ ...of, payload: of.payload.replace('CustomerEmployee', 'EndUser') }),
      (of) => ({ ...of, payload: '{}' }),
      (of) => ({ ...of, payload: of.payload.replace('}', ',"publicKey":"x"}') }),
      (of) => ({
        ...of,
        traces: of.traces.map((trace) =>
          trace.kind === 'erased' && trace.name === 'email'
            ? { ...trace, name: 'externalId' }
            : trace,
        ),
      }),
    ]
    for (const change of changes) assert.equal(verdictOf(company, made, change), reason)
  })

  it('is not enough to vote on, nor to make a key by', () => {
    const outcome = company.try({ ...made, evidence: left(made.evidence) })
    assert.ok(!outcome.ok && outcome.reason === unseen)
    const key = company.ask(company.machine, {
      path: '/keys',
      body: { scheme: 'ECDSA', curve: 'secp256k1', name: mail },
    })
    const terms = company.termsOf(left(key))
    assert.ok(!terms.ok && terms.reason === unseen)
  })
})

describe('the erasure of a user', () => {
  function archived(company: Company): Member {
    const made = invite(company)
    company.apply(made)
    const user = idOf(requestOf(made.evidence), 'user')
    company.alter(userTable, [user], { status: 'archived' })
    return { user, name: nameOf('user', user), by: makePerson() }
  }
  const erase = (company: Company, { user, name }: Pick<Member, 'user' | 'name'>): Made => ({
    kind: 'erasure',
    evidence: company.ask(company.admin, {
      ...{ method: 'PUT', path: `/auth/users/${name}/erase`, body: {}, ids: { userId: user } },
    }),
  })

  it('is for good, and only once he is archived', () => {
    const company = new Company()
    const bob = archived(company)
    company.alter(userTable, [bob.user], { status: 'inactive' })
    assert.equal(company.refusal(erase(company, bob)), 'the user is not archived')
    company.alter(userTable, [bob.user], { status: 'archived' })
    assert.deepEqual(company.apply(erase(company, bob)), { kind: 'erasure', user: bob.user })
    assert.deepEqual(company.find(erasureTable, bob.user), { erasedAt: t0 })
    assert.equal(company.refusal(erase(company, bob)), 'the user is erased already')
  })

  it('is of people who are there, and not of the founder', () => {
    const company = new Company()
    const refusal = (of: Pick<Member, 'user' | 'name'>) => company.refusal(erase(company, of))
    assert.equal(refusal(company.machine), 'the user is a service account')
    assert.equal(refusal(company.admin), 'the founder is named by the genesis')
    const nobody = new Uint8Array(32).fill(5)
    const name = nameOf('user', nobody)
    assert.equal(refusal({ user: nobody, name }), 'there is no such user')
  })

  const eraseFor = (company: Company, body: Body, users: readonly Uint8Array[]) => {
    const other = new Company()
    for (const user of users) other.write(erasureTable, [user], { erasedAt: t0 })
    const find: RootRecords['find'] = (table, ...name) =>
      table.prefix === erasureTable.prefix
        ? other.find(table, ...name)
        : company.find(table, ...name)
    return eraseIn(body, { find })
  }
  const bodyOf = (company: Company, made: Made) => {
    const outcome = company.try(made)
    assert.ok(outcome.ok)
    return decodeBody(encodeBody(encodeStep(outcome.step), [made.evidence]))
  }

  it('takes what he signed and what made him, and nothing else', () => {
    const company = new Company()
    const made = invite(company)
    const body = bodyOf(company, made)
    const user = idOf(requestOf(made.evidence), 'user')
    for (const one of [user, company.admin.user]) {
      const after = eraseFor(company, body, [one]) ?? assert.fail('nothing was erased')
      assert.deepEqual(decodeBody(after).hash, body.hash)
      assert.ok(!Buffer.from(after).includes(mail))
      assert.equal(eraseFor(company, decodeBody(after), [one]), undefined)
    }
    assert.equal(eraseFor(company, body, [company.machine.user]), undefined)
    assert.equal(eraseFor(company, body, []), undefined)
  })

  it('takes what others call his keys and wallets, and not what they call their own', () => {
    const company = new Company()
    const { admin, machine } = company
    const owner = new Uint8Array(32).fill(9)
    const wallet = company.makeWallet(machine, words)
    const rename = {
      kind: 'update',
      evidence: company.ask(machine, {
        ...{ method: 'PUT', path: `/wallets/${wallet.name}`, body: { name: mail } },
        ids: { walletId: wallet.id },
      }),
    } as const
    const body = bodyOf(company, rename)
    assert.equal(eraseFor(company, body, [owner]), undefined)
    company.alter(keyTable, [wallet.key], { owner })
    const after = eraseFor(company, body, [owner]) ?? assert.fail('nothing was erased')
    assert.ok(!Buffer.from(after).includes(mail))
    assert.equal(eraseFor(company, body, [admin.user]), undefined)
  })
})

describe('every operation that has erasable members', () => {
  it('does the same without them', () => {
    const company = new Company()
    const { admin, machine } = company
    const put = (by: Member, path: string, role: string, id: Uint8Array): Made => ({
      kind: 'update',
      evidence: company.ask(by, { method: 'PUT', path, body: { name: mail }, ids: { [role]: id } }),
    })
    company.apply(invite(company))
    company.apply({
      kind: 'user',
      evidence: company.ask(machine, {
        path: '/auth/registration/delegated',
        body: { email: mail, kind: 'EndUser', externalId: mail },
      }),
    })
    company.makeServiceAccount()
    const key = company.makeKey(machine, { name: mail })
    const wallet = company.makeWallet(machine, words)
    const account = put(
      admin,
      `/auth/service-accounts/${machine.name}`,
      'serviceAccountId',
      machine.user,
    )
    company.apply(account)
    company.apply(put(machine, `/keys/${key.name}`, 'keyId', key.id))
    company.apply(put(machine, `/wallets/${wallet.name}`, 'walletId', wallet.id))
    addPat(company, put)
    addCredentials(company)
    addSocial(company)
    for (const [thing, path, of] of [
      ['keyId', `/keys/${key.name}/signatures`, key.id],
      ['walletId', `/wallets/${wallet.name}/signatures`, wallet.key],
      ['walletId', `/wallets/${wallet.name}/transfers`, wallet.key],
      ['walletId', `/wallets/${wallet.name}/transactions`, wallet.key],
    ] as const) {
      const ids = { [thing]: thing === 'keyId' ? key.id : wallet.id }
      const evidence = company.ask(machine, { path, body: { externalId: mail }, ids })
      company.apply({ kind: 'use', evidence, key: of })
    }
    addDecision(company)
    const all = operationNames.filter((name) => operations[name].erasable.length > 0)
    assert.deepEqual([...company.erasedOnce].toSorted(), all.toSorted() satisfies OperationName[])
  })
})

/** With words that may go. */
function addDecision(company: Company): void {
  const { admin, machine } = company
  const approvalGroups = [{ quorum: 1, approvers: {} }]
  const body = {
    ...{ name: 'signing', activityKind: 'Wallets:Sign', rule: { kind: 'AlwaysTrigger' } },
    action: { kind: 'RequestApproval', approvalGroups },
  }
  company.apply({ kind: 'policy', evidence: company.ask(admin, { path: '/v2/policies', body }) })
  const { id: key, name } = company.makeKey(machine)
  const wish = { path: `/keys/${name}/signatures`, body: {}, ids: { keyId: key } }
  const opened = company.apply({ kind: 'approval', evidence: company.ask(machine, wish), key })
  if (opened.kind !== 'approval') throw new Error('a request that is not held')
  const path = `/v2/policy-approvals/${nameOf('approval', opened.approval)}/decisions`
  const ids = { approvalId: opened.approval }
  const decision = { path, body: { value: 'Approved', reason: mail }, ids }
  company.apply({ kind: 'decision', evidence: company.ask(admin, decision), key })
}

type Put = (by: Member, path: string, role: string, id: Uint8Array) => Made

function addPat(company: Company, put: Put): void {
  const { pem: publicKey } = makePerson()
  const body = { publicKey, daysValid: 3, ...words }
  const evidence = company.ask(company.admin, { path: '/auth/pats', body })
  company.apply({ kind: 'token', evidence })
  const token = idOf(requestOf(evidence), 'token')
  const path = `/auth/pats/${nameOf('token', token)}`
  company.apply(put(company.admin, path, 'tokenId', token))
}

/** One that he adds himself, and one that a code brings. */
function addCredentials(company: Company): void {
  const { admin, organization } = company
  const bring = (challenge: string) => ({
    ...newKeyCredential().create(challenge),
    credentialName: mail,
    challengeIdentifier: '',
  })
  const of = { organization, user: admin.user, purpose: 'add-credential' } as const
  const opened = openCompletion({ ...of, path: '/auth/credentials' })
  const body = bring(challengeOf(opened.preimage))
  const wish = { path: '/auth/credentials', body, facts: opened.preimage }
  company.apply({ kind: 'credential', evidence: company.ask(admin, wish) })
  const expiration = new Date(t0 + 50_000).toISOString()
  const code = company.ask(admin, { path: '/auth/credentials/code', body: { expiration } })
  company.apply({ kind: 'credentialCode', evidence: code })
  const subjects = [{ role: 'code', id: requestOf(code) }]
  const second = openCompletion({ ...of, path: '/auth/credentials/code/verify', subjects })
  const evidence = completed(second, bring(challengeOf(second.preimage)))
  company.apply({ kind: 'credential', evidence })
}

function addSocial(company: Company): void {
  const issuer = { issuer: 'https://id.example.test', clientIds: ['us'], redirectUris: [] }
  const issuers = [{ use: 'social', ...issuer } as const]
  company.write(settingsTable, [], { ...defaultSettings, issuers })
  const { organization } = company
  const of = { organization, user: undefined, purpose: 'social' } as const
  const opened = openCompletion({ ...of, path: '/auth/registration/social' })
  company.apply({ kind: 'user', evidence: completed(opened, { email: mail, kind: 'EndUser' }) })
}

describe('the fields of a payload', () => {
  it('are those of the whole, whatever stands between its members', () => {
    const salt = new Uint8Array(32).fill(3)
    const payload =
      '{ "email" : "a" , "kind":"CustomerEmployee"\n,"\\u0065xternalId": {"b": [1 ]} }'
    const ask = { ...decodePreimage(invite(new Company()).evidence.preimage) }
    const preimage = encodePreimage({ ...ask, ...commitTo(payload, salt) })
    const whole = { preimage, payload, salt, assertions: [], facts: new Uint8Array() }
    assert.equal(left(whole).payload, '{"kind":"CustomerEmployee"}')
  })
})
