import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { idOf, nameOf } from '@quorate/core/id'
import { fingerprintOf, type Assertion } from '../credential.ts'
import type { OperationName } from '../operations.ts'
import {
  credentialCodeTable,
  credentialsPerUserMax,
  credentialTable,
  decodeRecord,
  encodeRecord,
  frozenTable,
  recordKey,
  settingsTable,
  userTable,
  type Table,
} from '../records.ts'
import { challengeOf, commitTo, completionHash, encodePreimage, type Preimage } from '../request.ts'
import { defaultSettings, type Settings } from '../settings.ts'
import { noStep, reducerVersion, type Evidence, type ItemKind } from '../step.ts'
import { rootOf } from '../stream.ts'
import { newKeyCredential } from '../testing/key-credential.ts'
import { newPasskey } from '../testing/passkey.ts'
import {
  assertionBy,
  makeCluster,
  makeGenesis,
  makePerson,
  makeRequest,
  Records,
  requestOf,
  t0,
  type Ask,
} from '../testing/world.ts'
import { expirationOf } from './credentials.ts'
import type { Rules } from './judging.ts'
import { policies } from '../testing/policies.ts'
import { draftStep, reduceStep } from './step.ts'

const cluster = makeCluster()
const admin = makePerson('P-256')
const genesis = makeGenesis(cluster, admin)
const organization = idOf(requestOf(genesis), 'organization')
const user = idOf(requestOf(genesis), 'user')
const root = rootOf(organization)
const rules: Rules = {
  manifest: cluster.manifest,
  networkOf: () => undefined,
  plan: () => ({ ok: false, reason: 'nothing is signed here' }),
  policies,
  planSponsorship: () => ({ ok: false, reason: 'nobody pays for others here' }),
  childOf: () => undefined,
}
const settings: Settings = {
  ...defaultSettings,
  relyingParties: [{ id: 'example.test', origins: ['https://example.test'] }],
}

function tryStep(records: Records, kind: ItemKind, evidence: Evidence, time = t0) {
  const draft = {
    ...{ organization, stream: root, seq: kind === 'genesis' ? 0 : 1, previous: noStep, time },
    ...{ manifest: cluster.manifest.hash, reducer: reducerVersion, heads: [] },
  }
  const drafted = draftStep(draft, [{ kind, evidence }], records, rules)
  return drafted.ok ? reduceStep(drafted.step, [evidence], records, rules) : drafted
}
function apply(records: Records, kind: ItemKind, evidence: Evidence, time = t0): void {
  const outcome = tryStep(records, kind, evidence, time)
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.reason)
  records.apply(root, outcome.writes)
}
function refused(records: Records, kind: ItemKind, evidence: Evidence, reason: RegExp, time = t0) {
  const outcome = tryStep(records, kind, evidence, time)
  assert.match(outcome.ok ? 'allowed' : outcome.reason, reason)
}
function written(records: Records, changed: Partial<Settings>): Records {
  const value = encodeRecord(settingsTable, { ...settings, ...changed })
  return records.with(root, { key: recordKey(settingsTable), value })
}
function born(changed: Partial<Settings> = {}): Records {
  const records = new Records()
  apply(records, 'genesis', genesis)
  return written(records, changed)
}
function found<T>(records: Records, table: Table<T>, ...name: readonly Uint8Array[]): T {
  const value = records.read(root, recordKey(table, ...name))
  assert.ok(value)
  return decodeRecord(table, value)
}

/** The challenge that a new credential is made for, as the server gives it out. */
function challengeFor(changed: Partial<Preimage> = {}): Uint8Array {
  const salt = new Uint8Array(randomBytes(32))
  return encodePreimage({
    ...{ purpose: 'add-credential', organization, user, token: undefined, method: 'POST' },
    ...{ path: '/auth/credentials', ...commitTo('', salt), verification: 'none', subjects: [] },
    ...{ maxFee: undefined, nonce: new Uint8Array(randomBytes(32)), issuedAt: t0 },
    ...{ signBefore: t0 + 600_000, executeBefore: t0 + 600_000, ...changed },
  })
}
type Creator = Pick<ReturnType<typeof newKeyCredential>, 'create'>
const wire = (made: { create: (challenge: string) => object }, challenge: string) => ({
  ...made.create(challenge),
  credentialName: 'second',
  challengeIdentifier: 'what the server makes of it',
})
const byAdmin = (ask: Omit<Ask, 'organization' | 'user' | 'by'> & Partial<Ask>): Evidence =>
  makeRequest({ organization, user, by: admin, ...ask })

function adding(
  made: { create: (challenge: string) => object },
  given: { facts?: Uint8Array; challenge?: string; time?: number } = {},
): Evidence {
  const facts = given.facts ?? challengeFor()
  const body = wire(made, given.challenge ?? challengeOf(facts))
  const time = given.time ?? t0
  return byAdmin({ path: '/auth/credentials', body, facts, time })
}

describe('a credential that a confirmed one adds', () => {
  it('is confirmed, and signs from then on', () => {
    const records = born()
    for (const made of [newKeyCredential(), newKeyCredential({ algorithm: 'rsa' })]) {
      const evidence = adding(made)
      apply(records, 'credential', evidence)
      const record = found(records, credentialTable, user, fingerprintOf(made.spki))
      assert.equal(record.rank, 'confirmed')
      assert.equal(record.status, 'active')
      assert.deepEqual(record.id, idOf(requestOf(evidence), 'credential'))
      const next = newKeyCredential()
      const facts = challengeFor()
      const signed = adding(next, { facts })
      const assertion = made.assertion(challengeOf(signed.preimage))
      apply(records, 'credential', { ...signed, assertions: [assertion] })
    }
    assert.equal(found(records, userTable, user).credentials.length, 5)
  })

  it('may be a passkey of a known relying party, bound to it', () => {
    const records = born()
    const passkey = newPasskey()
    apply(records, 'credential', adding(passkey))
    const record = found(records, credentialTable, user, fingerprintOf(passkey.spki))
    assert.deepEqual([record.kind, record.relyingParty], ['Fido2', 'example.test'])
    const next = adding(newKeyCredential())
    const assertions: Assertion[] = [passkey.assertion(challengeOf(next.preimage))]
    apply(records, 'credential', { ...next, assertions })
    const foreign = newPasskey({ relyingParty: 'evil.test' })
    refused(records, 'credential', adding(foreign), /another relying party or origin/)
    const asleep = newPasskey({ userVerified: false })
    refused(records, 'credential', adding(asleep), /not verified its user/)
  })

  it('may be a recovery key, which then signs no action', () => {
    const records = born()
    const recovery = newKeyCredential({ kind: 'RecoveryKey' })
    apply(records, 'credential', adding(recovery))
    const next = adding(newKeyCredential())
    const assertions = [recovery.assertion(challengeOf(next.preimage))]
    refused(records, 'credential', { ...next, assertions }, /recovery key signs recoveries alone/)
  })

  it('is a key under a password only where that is wanted', () => {
    const made = newKeyCredential({ kind: 'PasswordProtectedKey' })
    refused(born(), 'credential', adding(made), /keys under a password are not in use/)
    apply(born({ passwordProtectedKeys: 'on' }), 'credential', adding(made))
  })

  it('is never a password or a one-time code', () => {
    for (const credentialKind of ['Password', 'Totp']) {
      const body = { credentialKind, credentialInfo: { password: 'x', otpCode: '1' } }
      const evidence = byAdmin({ path: '/auth/credentials', body, facts: challengeFor() })
      refused(born(), 'credential', evidence, /proves nothing to a signer/)
    }
  })

  it('is made for a challenge of this organization, user, purpose and time', () => {
    const records = born()
    const other = new Uint8Array(32).fill(7)
    const differing: readonly Partial<Preimage>[] = [
      { organization: other },
      { organization: undefined },
      { user: other },
      { user: undefined },
      { purpose: 'login' },
      { purpose: 'action' },
      { method: 'PUT' },
      { path: '/auth/credentials/code/verify' },
      { token: { id: other, kind: 'Pat' } },
      { subjects: [{ role: 'code', id: other }] },
    ]
    for (const changed of differing) {
      const evidence = adding(newKeyCredential(), { facts: challengeFor(changed) })
      refused(records, 'credential', evidence, /attestation was for something else/)
    }
    const late = { issuedAt: t0 - 700_000, signBefore: t0 - 1 }
    const early = { issuedAt: t0 + 60_000 }
    const long = { signBefore: t0 + 2 * 60 * 60_000 }
    for (const [changed, reason] of [
      [late, /expired/],
      [early, /future/],
      [long, /too much time/],
    ] as const)
      refused(
        records,
        'credential',
        adding(newKeyCredential(), { facts: challengeFor(changed) }),
        reason,
      )
  })

  it('is not made for the challenge of another, nor for none', () => {
    const records = born()
    const challenge = challengeOf(challengeFor())
    refused(records, 'credential', adding(newKeyCredential(), { challenge }), /for this challenge/)
    const facts = new Uint8Array()
    refused(records, 'credential', adding(newKeyCredential(), { facts, challenge }), /malformed/)
  })

  it('uses its challenge up', () => {
    const records = born()
    const facts = challengeFor()
    apply(records, 'credential', adding(newKeyCredential(), { facts }))
    const again = adding(newKeyCredential(), { facts })
    refused(records, 'credential', again, /attestation has been used/)
  })

  it('is not there already, be it archived', () => {
    const records = born()
    const made = newKeyCredential()
    apply(records, 'credential', adding(made))
    refused(records, 'credential', adding(made), /exists already/)
    const fingerprint = fingerprintOf(made.spki)
    const archived = records.altered(root, credentialTable, [user, fingerprint], {
      status: 'archived',
    })
    refused(archived, 'credential', adding(made), /exists already/)
  })

  it('is one of at most as many as a user may have', () => {
    const records = born()
    for (let count = 1; count < credentialsPerUserMax; count++)
      apply(records, 'credential', adding(newKeyCredential()))
    refused(records, 'credential', adding(newKeyCredential()), /too many credentials/)
  })

  it('takes no place from before a recovery', () => {
    const records = born()
    const [old, kept] = [newKeyCredential(), newKeyCredential()]
    apply(records, 'credential', adding(old))
    apply(records, 'credential', adding(kept))
    const later = [admin.spki, kept.spki].reduce(
      (all, spki) =>
        all.altered(root, credentialTable, [user, fingerprintOf(spki)], { generation: 1 }),
      records.altered(root, userTable, [user], { generation: 1 }),
    )
    apply(later, 'credential', adding(newKeyCredential()))
    const { credentials } = found(later, userTable, user)
    assert.equal(credentials.length, 3)
    assert.ok(!credentials.some((one) => Buffer.compare(one, fingerprintOf(old.spki)) === 0))
  })
})

const inForce = (expiration: unknown, time = t0): Evidence =>
  byAdmin({ path: '/auth/credentials/code', body: { expiration }, time })

describe('a one-time code for another device', () => {
  it('is good for a minute at most, in any of the forms that clients send', () => {
    const at = t0 + 50_000
    for (const expiration of [new Date(at).toISOString(), at, at / 1000]) {
      const records = born()
      const evidence = inForce(expiration)
      apply(records, 'credentialCode', evidence)
      const code = found(records, credentialCodeTable, requestOf(evidence))
      assert.deepEqual(code, { user, expiresAt: at, used: 'no' })
    }
    refused(born(), 'credentialCode', inForce(t0 + 70_000), /more than a minute/)
    refused(born(), 'credentialCode', inForce(t0 - 1), /expired/)
    for (const expiration of ['tomorrow', '2026-01-01', -1, 0, undefined, null, true])
      refused(born(), 'credentialCode', inForce(expiration), /not a time/)
  })

  it('reads times with zones and fractions as they are meant', () => {
    const time = Date.UTC(2026, 0, 1, 12, 30, 5, 120)
    for (const expiration of [
      '2026-01-01T12:30:05.12Z',
      '2026-01-01T14:30:05.120+02:00',
      '2026-01-01T07:00:05.120999-05:30',
    ])
      assert.equal(expirationOf({ expiration }), time)
  })
})

describe('the credential that a code brings', () => {
  const ended = (
    made: Pick<Creator, 'create'> | { create: (challenge: string) => object },
    code: Evidence,
    changed: Partial<Preimage> = {},
  ): Evidence => {
    const salt = new Uint8Array(randomBytes(32))
    const preimage = challengeFor({
      path: '/auth/credentials/code/verify',
      ...commitTo('', salt),
      subjects: [{ role: 'code', id: requestOf(code) }],
      ...changed,
    })
    const payload = JSON.stringify(wire(made, challengeOf(preimage)))
    return { preimage, payload, salt, assertions: [], facts: new Uint8Array() }
  }
  const started = () => {
    const records = born()
    const code = inForce(t0 + 60_000)
    apply(records, 'credentialCode', code)
    return { records, code }
  }

  it('may log in and signs nothing', () => {
    const { records, code } = started()
    const made = newPasskey()
    const evidence = ended(made, code)
    apply(records, 'credential', evidence)
    const { rank, id } = found(records, credentialTable, user, fingerprintOf(made.spki))
    const request = completionHash(sha256(evidence.preimage), sha256(toUtf8(evidence.payload)))
    assert.deepEqual([rank, id], ['unconfirmed', idOf(request, 'credential')])
    const next = adding(newKeyCredential())
    const assertions = [made.assertion(challengeOf(next.preimage))]
    refused(records, 'credential', { ...next, assertions }, /not confirmed/)
  })

  it('comes once, in time, and by a code of this very user', () => {
    const { records, code } = started()
    const other = new Uint8Array(32).fill(7)
    const id = requestOf(code)
    const make = (changed: Partial<Preimage>) => ended(newKeyCredential(), code, changed)
    refused(records, 'credential', make({ subjects: [] }), /names no code/)
    refused(records, 'credential', make({ user: undefined }), /names no code/)
    refused(records, 'credential', make({ subjects: [{ role: 'other', id }] }), /names no code/)
    const twice = [
      { role: 'code', id },
      { role: 'code', id },
    ]
    refused(records, 'credential', make({ subjects: twice }), /names no code/)
    const unknown = [{ role: 'code', id: other }]
    refused(records, 'credential', make({ subjects: unknown }), /no such code/)
    refused(records, 'credential', make({ user: other }), /no such code/)
    const late = { issuedAt: t0 + 60_001, signBefore: t0 + 120_000 }
    refused(records, 'credential', make(late), /the code has expired/, t0 + 61_000)
    const slow = { signBefore: t0 + 50 * 60_000, executeBefore: t0 + 50 * 60_000 }
    refused(records, 'credential', make(slow), /the code has expired/, t0 + 12 * 60_000)
    apply(records, 'credential', make({}))
    refused(records, 'credential', make({}), /the code has been used/)
  })

  it('is no recovery key, and nobody signs for it', () => {
    const { records, code } = started()
    const recovery = ended(newKeyCredential({ kind: 'RecoveryKey' }), code)
    refused(records, 'credential', recovery, /brings a recovery key/)
    const evidence = ended(newKeyCredential(), code)
    const assertions = [assertionBy(admin, evidence.preimage)]
    refused(records, 'credential', { ...evidence, assertions }, /rests on nothing else/)
  })

  it('is not for somebody who is gone', () => {
    const { records, code } = started()
    const gone = records.altered(root, userTable, [user], { status: 'inactive' })
    refused(gone, 'credential', ended(newKeyCredential(), code), /not active/)
    const freezes = [new Uint8Array(32).fill(9)]
    const frozen = records.with(root, {
      key: recordKey(frozenTable, user),
      value: encodeRecord(frozenTable, { freezes }),
    })
    refused(frozen, 'credential', ended(newKeyCredential(), code), /user is frozen/)
  })

  it('is not what a request that one signs may bring, nor the reverse', () => {
    const { records, code } = started()
    const asAction = ended(newKeyCredential(), code, { path: '/auth/credentials' })
    refused(records, 'credential', asAction, /completes nothing/)
    const asRegistration = ended(newKeyCredential(), code, { purpose: 'register' })
    refused(records, 'credential', asRegistration, /for something else/)
  })
})

const paths = {
  'auth.activateCredential': '/auth/credentials/activate',
  'auth.deactivateCredential': '/auth/credentials/deactivate',
} as const satisfies { [N in OperationName]?: string }

function changing(name: keyof typeof paths, id: Uint8Array, by: Partial<Ask> = {}): Evidence {
  const body = { credentialUuid: nameOf('credential', id) }
  return byAdmin({
    ...{ method: 'PUT', path: paths[name], body, ids: { credentialUuid: id } },
    ...by,
  })
}
function deleting(id: Uint8Array): Evidence {
  const path = `/auth/credentials/${nameOf('credential', id)}`
  return byAdmin({ method: 'DELETE', path, body: {}, ids: { credentialUuid: id } })
}

describe('the status of a credential', () => {
  const withSecond = () => {
    const records = born()
    const second = newKeyCredential()
    const evidence = adding(second)
    apply(records, 'credential', evidence)
    return { records, second, id: idOf(requestOf(evidence), 'credential') }
  }
  const statusOf = (records: Records, spki: Uint8Array) =>
    found(records, credentialTable, user, fingerprintOf(spki)).status

  it('goes off and on again as its owner likes, twice over too', () => {
    const { records, second, id } = withSecond()
    const off = 'auth.deactivateCredential'
    for (const name of [off, off, 'auth.activateCredential', 'auth.activateCredential'] as const) {
      apply(records, 'credentialStatus', changing(name, id))
      assert.equal(statusOf(records, second.spki), name === off ? 'inactive' : 'active')
    }
    assert.equal(found(records, userTable, user).credentials.length, 2)
  })

  it('is archived for good', () => {
    const { records, second, id } = withSecond()
    apply(records, 'credentialStatus', deleting(id))
    assert.equal(statusOf(records, second.spki), 'archived')
    assert.equal(found(records, userTable, user).credentials.length, 1)
    refused(records, 'credentialStatus', changing('auth.activateCredential', id), /is archived/)
    refused(records, 'credentialStatus', deleting(id), /is archived/)
  })

  it('of the last one that can sign stays', () => {
    const { records, second, id } = withSecond()
    const first = idOf(requestOf(genesis), 'credential')
    for (const change of [
      { rank: 'unconfirmed' },
      { status: 'inactive' },
      { kind: 'RecoveryKey' },
      { kind: 'PasswordProtectedKey' },
    ] as const) {
      const name = [user, fingerprintOf(second.spki)]
      const altered = records.altered(root, credentialTable, name, change)
      const off = changing('auth.deactivateCredential', first)
      refused(altered, 'credentialStatus', off, /the last credential that can sign/)
      refused(altered, 'credentialStatus', deleting(first), /the last credential that can sign/)
    }
    apply(records, 'credentialStatus', changing('auth.deactivateCredential', id))
    const last = changing('auth.deactivateCredential', first)
    refused(records, 'credentialStatus', last, /the last credential that can sign/)
  })

  it("of somebody else's, of a token's or of one from before a recovery is out of reach", () => {
    const { records, second, id } = withSecond()
    const fingerprint = fingerprintOf(second.spki)
    const off = changing('auth.deactivateCredential', id)
    const token = new Uint8Array(32).fill(7)
    const ofToken = records.altered(root, credentialTable, [user, fingerprint], { token })
    refused(ofToken, 'credentialStatus', off, /no such credential/)
    const other = new Uint8Array(32).fill(8)
    const unknown = changing('auth.deactivateCredential', other)
    refused(records, 'credentialStatus', unknown, /no such credential/)
    const stranger = makePerson()
    const elsewhere = { ...found(records, userTable, user), credentials: [] }
    const key = found(records, credentialTable, user, fingerprint)
    const two = [
      { key: recordKey(userTable, other), value: encodeRecord(userTable, elsewhere) },
      {
        key: recordKey(credentialTable, other, fingerprintOf(stranger.spki)),
        value: encodeRecord(credentialTable, { ...key, spki: stranger.spki }),
      },
      // Even of the same key and id it is not his.
      {
        key: recordKey(credentialTable, other, fingerprint),
        value: encodeRecord(credentialTable, key),
      },
    ].reduce((all, write) => all.with(root, write), records)
    const foreign = changing('auth.deactivateCredential', id, { user: other, by: stranger })
    refused(two, 'credentialStatus', foreign, /no such credential/)
    const older = records
      .altered(root, userTable, [user], { generation: 1 })
      .altered(root, credentialTable, [user, fingerprintOf(admin.spki)], { generation: 1 })
    const on = changing('auth.activateCredential', id)
    refused(older, 'credentialStatus', on, /before or after a recovery/)
  })

  it('is named in full in what its owner signs', () => {
    const { records, id } = withSecond()
    const named = changing('auth.deactivateCredential', id, {
      ids: { credentialUuid: new Uint8Array(32) },
    })
    refused(records, 'credentialStatus', named, /is not the one that is named/)
  })
})
