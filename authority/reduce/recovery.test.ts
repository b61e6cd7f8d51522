import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { toBase64url } from '@quorate/core/bytes'
import { idOf, nameOf } from '@quorate/core/id'
import { fingerprintOf, type Assertion } from '../credential.ts'
import {
  credentialsPerUserMax,
  credentialTable,
  decodeRecord,
  encodeRecord,
  frozenTable,
  recordKey,
  recoveryTable,
  settingsTable,
  tokenTable,
  userTable,
  type Table,
} from '../records.ts'
import { challengeOf, commitTo, encodePreimage, type Preimage } from '../request.ts'
import { defaultSettings, type Settings } from '../settings.ts'
import { isCredentialLive, isRecoveryWaiting, isTokenLive } from '../standing.ts'
import { noStep, reducerVersion, type WholeEvidence, type ItemKind } from '../step.ts'
import { keyStream, rootOf, type StreamId } from '../stream.ts'
import { newKeyCredential, type KeyCredential } from '../testing/key-credential.ts'
import { newPasskey } from '../testing/passkey.ts'
import {
  assertionBy,
  certifyKey,
  makeCluster,
  makeGenesis,
  makePerson,
  makeRequest,
  pathOf,
  Records,
  requestOf,
  t0,
  type Ask,
} from '../testing/world.ts'
import { nothingLeaves, policies } from '../testing/policies.ts'
import { judgeHeads } from './heads.ts'
import type { Rules } from './judging.ts'
import { requestOfEvidence } from './cause.ts'
import { judgeKeyRequest } from './questions.ts'
import { draftStep, reduceStep } from './step.ts'

const cluster = makeCluster()
const admin = makePerson('P-256')
const genesis = makeGenesis(cluster, admin)
const organization = idOf(requestOf(genesis), 'organization')
const user = idOf(requestOf(genesis), 'user')
const root = rootOf(organization)
const minuteMs = 60_000
const waitMs = 7 * 24 * 60 * minuteMs
const digest = new Uint8Array(32).fill(9)
const rules: Rules = {
  manifest: cluster.manifest,
  networkOf: () => ({
    ...{ scheme: 'ECDSA', curve: 'secp256k1' },
    ...{ separated: true, rawAllowed: false, isRetired: false, hasSponsors: false },
  }),
  plan: ({ network }) => ({
    ...{ ok: true, network, slot: undefined, slotNamed: false, fee: 1n },
    ...{ digests: [digest], messages: [digest], outflow: nothingLeaves },
  }),
  policies,
  planSponsorship: () => ({ ok: false, reason: 'nobody pays for others here' }),
  childOf: () => undefined,
}
const settings: Settings = {
  ...defaultSettings,
  relyingParties: [{ id: 'example.test', origins: ['https://example.test'] }],
}

type Made = {
  readonly kind: ItemKind
  readonly evidence: WholeEvidence
  readonly time?: number
  readonly stream?: StreamId
}

function tryStep(records: Records, { kind, evidence, time = t0, stream = root }: Made) {
  const draft = {
    ...{ organization, stream, seq: kind === 'genesis' ? 0 : 1, previous: noStep, time },
    ...{ manifest: cluster.manifest.hash, reducer: reducerVersion, heads: [] },
  }
  const drafted = draftStep(draft, [{ kind, evidence }], records, rules)
  return drafted.ok ? reduceStep(drafted.step, [evidence], records, rules) : drafted
}
function apply(records: Records, made: Made): void {
  const outcome = tryStep(records, made)
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.reason)
  records.apply(made.stream ?? root, outcome.writes)
}
function refused(records: Records, made: Made, reason: RegExp): void {
  const outcome = tryStep(records, made)
  assert.match(outcome.ok ? 'allowed' : outcome.reason, reason)
}
function found<T>(records: Records, table: Table<T>, ...name: readonly Uint8Array[]): T {
  const value = records.read(root, recordKey(table, ...name))
  assert.ok(value)
  return decodeRecord(table, value)
}
function put<T>(records: Records, table: Table<T>, name: readonly Uint8Array[], value: T): Records {
  return records.with(root, { key: recordKey(table, ...name), value: encodeRecord(table, value) })
}
const rootRecords = (records: Records) => ({
  find: <T>(table: Table<T>, ...name: readonly (Uint8Array | string)[]): T | undefined => {
    const value = records.read(root, recordKey(table, ...name))
    return value === undefined ? undefined : decodeRecord(table, value)
  },
})
const isLive = (records: Records, { spki }: { readonly spki: Uint8Array }, time: number) =>
  isCredentialLive(
    found(records, userTable, user),
    found(records, credentialTable, user, fingerprintOf(spki)),
    time,
  )

/** A challenge as the server gives it out, with nothing yet that it commits to. */
function challengeFor(
  changed: Partial<Preimage>,
  time = t0,
  salt: Uint8Array = new Uint8Array(32),
): Uint8Array {
  return encodePreimage({
    ...{ purpose: 'recover', organization, user, token: undefined, method: 'POST' },
    ...{ path: '/auth/recover/user', ...commitTo('', salt), subjects: [] },
    ...{ verification: 'none', maxFee: undefined, nonce: new Uint8Array(randomBytes(32)) },
    ...{ issuedAt: time, signBefore: time + 10 * minuteMs, executeBefore: time + 60 * minuteMs },
    ...changed,
  })
}
const byAdmin = (ask: Omit<Ask, 'organization' | 'user' | 'by'> & Partial<Ask>): WholeEvidence =>
  makeRequest({ organization, user, by: admin, ...ask })

/** Through the rules, signed by the administrator's first key. */
function add(records: Records, made: KeyCredential, time = t0, by = admin): Uint8Array {
  const facts = challengeFor({ purpose: 'add-credential', path: '/auth/credentials' }, time)
  const body = { ...made.create(challengeOf(facts)), credentialName: 'one more' }
  const evidence = byAdmin({ path: '/auth/credentials', body, facts, time, by })
  apply(records, { kind: 'credential', evidence, time })
  return idOf(requestOf(evidence), 'credential')
}

/** An organization whose administrator has a recovery key, confirmed by his own signature. */
function world(changed: Partial<Settings['recovery']> = {}) {
  const recovery = { ...settings.recovery, ...changed }
  const before = new Records()
  apply(before, { kind: 'genesis', evidence: genesis })
  const records = put(before, settingsTable, [], { ...settings, recovery })
  const old = newKeyCredential({ kind: 'RecoveryKey', algorithm: 'P-256' })
  return { records, old, oldId: add(records, old) }
}

type Creator = { readonly create: (challenge: string) => object }
type Given = {
  readonly old: KeyCredential
  readonly oldId: Uint8Array
  readonly first?: Creator
  readonly second?: object | Creator
  readonly next?: object | Creator
  /** Instead of the credentials, what stands for them. */
  readonly newCredentials?: object
  readonly preimage?: Partial<Preimage>
  readonly time?: number
  /** The text that the recovery key signs, and what stands beside. */
  readonly signed?: (text: string) => string
  readonly recovery?: (recovery: ReturnType<KeyCredential['recover']>) => unknown
  readonly evidence?: Partial<WholeEvidence>
  /** The challenge that the new credentials answer. */
  readonly challenge?: string
}

function recovering(given: Given): WholeEvidence {
  const { old, oldId, time = t0, signed = (text) => text, recovery = (one) => one } = given
  const salt = new Uint8Array(randomBytes(32))
  const subjects = [{ role: 'credentialId', id: oldId }]
  const preimage = challengeFor({ subjects, ...given.preimage }, time, salt)
  const challenge = given.challenge ?? challengeOf(preimage)
  const made = (one: object | Creator) =>
    'create' in one && typeof one.create === 'function' ? one.create(challenge) : one
  const newCredentials = given.newCredentials ?? {
    firstFactorCredential: made(given.first ?? newKeyCredential()),
    ...(given.second === undefined ? {} : { secondFactorCredential: made(given.second) }),
    ...(given.next === undefined ? {} : { recoveryCredential: made(given.next) }),
  }
  const signature = old.recover(signed(JSON.stringify(newCredentials)))
  const payload = JSON.stringify({ recovery: recovery(signature), newCredentials })
  const facts = new Uint8Array()
  return { preimage, payload, salt, assertions: [], facts, ...given.evidence }
}
const recover = (given: Given): Made => ({
  ...{ kind: 'recovery', evidence: recovering(given) },
  ...(given.time === undefined ? {} : { time: given.time }),
})
const recoveryOf = ({ evidence }: Made) => idOf(requestOfEvidence(evidence), 'recovery')

/** A read that changes nothing would prove nothing: whoever adds a key is believed. */
function adding(by: KeyCredential | typeof admin, time: number): Made {
  const facts = challengeFor({ purpose: 'add-credential', path: '/auth/credentials' }, time)
  const body = { ...newKeyCredential().create(challengeOf(facts)), credentialName: 'one more' }
  const asked = byAdmin({ path: '/auth/credentials', body, facts, time })
  const assertions = [
    'assertion' in by ? by.assertion(challengeOf(asked.preimage)) : assertionBy(by, asked.preimage),
  ]
  return { kind: 'credential', evidence: { ...asked, assertions }, time }
}
function cancelling(recovery: Uint8Array, by: KeyCredential | undefined, time: number): Made {
  const path = `/auth/recoveries/${nameOf('recovery', recovery)}`
  const ids = { recoveryId: recovery }
  const asked = byAdmin({ method: 'DELETE', path, body: {}, ids, time })
  const assertions: readonly Assertion[] =
    by === undefined ? asked.assertions : [by.assertion(challengeOf(asked.preimage))]
  return { kind: 'recoveryEnd', evidence: { ...asked, assertions }, time }
}

describe('a recovery', () => {
  it('brings a key, a passkey and the next recovery key, and ends what was there', () => {
    const { records, old, oldId } = world()
    const [first, passkey] = [newKeyCredential(), newPasskey()]
    const next = newKeyCredential({ kind: 'RecoveryKey', algorithm: 'rsa' })
    const made = recover({ old, oldId, first, second: passkey, next })
    apply(records, made)
    for (const one of [first, passkey, next]) {
      const record = found(records, credentialTable, user, fingerprintOf(one.spki))
      assert.equal(record.rank, 'confirmed')
      assert.ok(isLive(records, one, t0))
    }
    assert.ok(!isLive(records, admin, t0))
    assert.ok(!isLive(records, old, t0))
    refused(records, adding(admin, t0), /the credential is not active/)
    apply(records, adding(first, t0))
    assert.ok(!isRecoveryWaiting(rootRecords(records), recoveryOf(made), t0))
  })

  it('may have the credentials in another order than its key has signed them', () => {
    const { records, old, oldId } = world()
    const turned = (text: string) => {
      const { firstFactorCredential: first, ...rest } = JSON.parse(text)
      const { credentialKind, credentialInfo, ...others } = first
      return JSON.stringify({
        ...rest,
        firstFactorCredential: { ...others, credentialInfo, credentialKind },
      })
    }
    const next = newKeyCredential({ kind: 'RecoveryKey' })
    apply(records, recover({ old, oldId, next, signed: turned }))
  })

  it('leaves what its time does not reach as it was, and counts from then on', () => {
    const { records, old, oldId } = world({ waitMs })
    const first = newKeyCredential()
    apply(records, recover({ old, oldId, first }))
    const effectiveAt = t0 + waitMs
    assert.deepEqual(
      [admin, old, first].map((one) => isLive(records, one, effectiveAt - 1)),
      [true, true, false],
    )
    assert.deepEqual(
      [admin, old, first].map((one) => isLive(records, one, effectiveAt)),
      [false, false, true],
    )
    refused(records, adding(first, effectiveAt - 1), /the credential is not active/)
    refused(records, adding(admin, effectiveAt), /the credential is not active/)
    apply(records, adding(admin, effectiveAt - 1))
    apply(records, adding(first, effectiveAt))
  })

  it('ends the tokens of its user with their keys, at its time and not before', () => {
    const { records: before, old, oldId } = world({ waitMs })
    const token = new Uint8Array(32).fill(7)
    const expiresAt = t0 + 2 * waitMs
    const records = put(before, tokenTable, [token], {
      ...{ user, kind: 'Pat', status: 'active', expiresAt, generation: 0, scoped: 'no' },
    })
    const pat = found(records, tokenTable, token)
    assert.ok(isTokenLive(rootRecords(records), pat, t0))
    apply(records, recover({ old, oldId }))
    assert.ok(isTokenLive(rootRecords(records), pat, t0 + waitMs - 1))
    assert.ok(!isTokenLive(rootRecords(records), pat, t0 + waitMs))
  })

  it('gives its generation to whatever is made after it', () => {
    const { records, old, oldId } = world({ waitMs })
    const first = newKeyCredential()
    apply(records, recover({ old, oldId, first }))
    const during = newKeyCredential()
    add(records, during, t0 + 1)
    const made = adding(first, t0 + waitMs)
    apply(records, made)
    assert.ok(isLive(records, during, t0 + waitMs - 1))
    assert.ok(!isLive(records, during, t0 + waitMs))
    const { credentials } = found(records, userTable, user)
    const last = credentials.at(-1)
    assert.ok(last)
    assert.equal(found(records, credentialTable, user, last).generation, 1)
  })

  it('may follow one that counts, and not one that waits', () => {
    const { records, old, oldId } = world({ waitMs })
    const [first, next] = [newKeyCredential(), newKeyCredential({ kind: 'RecoveryKey' })]
    const made = recover({ old, oldId, first, next })
    apply(records, made)
    const nextId = idOf(requestOfEvidence(made.evidence), 'credential', 1)
    const [effectiveAt, early] = [t0 + waitMs, t0 + waitMs - 1]
    refused(records, recover({ old, oldId, time: early }), /a recovery of this user is waiting/)
    refused(records, recover({ old, oldId, time: effectiveAt }), /the recovery key is not active/)
    const second = newKeyCredential()
    apply(records, recover({ old: next, oldId: nextId, first: second, time: effectiveAt }))
    const end = effectiveAt + waitMs
    assert.deepEqual(
      [admin, first, second].map((one) => isLive(records, one, end - 1)),
      [false, true, false],
    )
    assert.deepEqual(
      [admin, first, second].map((one) => isLive(records, one, end)),
      [false, false, true],
    )
    assert.equal(found(records, userTable, user).generationMax, 2)
  })

  it('of a key that nobody has confirmed brings credentials that nobody has confirmed', () => {
    const { records, old, oldId } = world()
    const name = [user, fingerprintOf(old.spki)]
    const doubted = records.altered(root, credentialTable, name, { rank: 'unconfirmed' })
    const first = newKeyCredential()
    apply(doubted, recover({ old, oldId, first }))
    const record = found(doubted, credentialTable, user, fingerprintOf(first.spki))
    assert.equal(record.rank, 'unconfirmed')
    refused(doubted, adding(first, t0), /the credential is not confirmed/)
  })
})

describe('a recovery that waits', () => {
  function waiting(changed: Partial<Settings['recovery']> = {}) {
    const { records, old, oldId } = world({ waitMs, ...changed })
    const first = newKeyCredential()
    const next = newKeyCredential({ kind: 'RecoveryKey' })
    const made = recover({ old, oldId, first, next })
    apply(records, made)
    return { records, old, oldId, first, next, made, recovery: recoveryOf(made) }
  }

  it('is cancelled by a credential that is live, and then dead for ever', () => {
    const { records, first, old, recovery, made } = waiting()
    apply(records, cancelling(recovery, undefined, t0 + 1))
    assert.equal(found(records, recoveryTable, recovery).status, 'cancelled')
    for (const time of [t0 + 2, t0 + waitMs, t0 + 2 * waitMs]) {
      assert.ok(isLive(records, admin, time))
      assert.ok(isLive(records, old, time))
      assert.ok(!isLive(records, first, time))
    }
    refused(records, cancelling(recovery, undefined, t0 + 2), /the recovery is not waiting/)
    refused(records, { ...made, time: t0 + 2 }, /the request has been used/)
  })

  it('does not come back with the next one, nor does what it would have brought', () => {
    const { records, old, oldId, first, next, recovery } = waiting()
    apply(records, cancelling(recovery, undefined, t0 + 1))
    refused(records, recover({ old, oldId, first }), /the user has had this key before/)
    const second = newKeyCredential()
    apply(records, recover({ old, oldId, first: second, time: t0 + 2 }))
    const { recovery: now } = found(records, userTable, user)
    assert.equal(now?.generation, 2)
    const end = t0 + 2 + waitMs
    assert.deepEqual(
      [first, next, second].map((one) => isLive(records, one, end)),
      [false, false, true],
    )
  })

  it('is not cancelled by what it brings, nor by anybody once it counts', () => {
    const { records, first, recovery } = waiting()
    refused(records, cancelling(recovery, first, t0 + 1), /the credential is not active/)
    refused(records, cancelling(recovery, undefined, t0 + waitMs), /the credential is not active/)
    refused(records, cancelling(recovery, first, t0 + waitMs), /the recovery is not waiting/)
  })

  it("is cancelled by its user alone, and is no other's", () => {
    const { records, recovery } = waiting()
    const made = found(records, recoveryTable, recovery)
    const other = put(records, recoveryTable, [recovery], { ...made, user: digest })
    refused(other, cancelling(recovery, undefined, t0 + 1), /there is no such recovery/)
    refused(records, cancelling(digest, undefined, t0 + 1), /there is no such recovery/)
  })

  it('is cancelled by a newcomer whom it would replace by another newcomer', () => {
    const { records, old, oldId } = world({ waitMs })
    const doubted = unconfirmed(records, admin, old)
    const made = recover({ old, oldId })
    apply(doubted, made)
    refused(doubted, adding(admin, t0 + 1), /the credential is not confirmed/)
    apply(doubted, cancelling(recoveryOf(made), undefined, t0 + 1))
    assert.equal(found(doubted, recoveryTable, recoveryOf(made)).status, 'cancelled')
  })

  it('is not cancelled by a newcomer where somebody confirmed recovers', () => {
    const { records, recovery } = waiting()
    const doubted = unconfirmed(records, admin)
    const early = cancelling(recovery, undefined, t0 + 1)
    refused(doubted, early, /the credential is not confirmed/)
    apply(records, early)
  })

  function unconfirmed(records: Records, ...held: readonly { readonly spki: Uint8Array }[]) {
    return held.reduce(
      (altered, { spki }) =>
        altered.altered(root, credentialTable, [user, fingerprintOf(spki)], {
          rank: 'unconfirmed',
        }),
      records,
    )
  }

  it('fills no list by being cancelled again and again', () => {
    const { records, old, oldId } = world({ waitMs })
    for (let time = t0; time < t0 + credentialsPerUserMax; time++) {
      const made = recover({ old, oldId, time })
      apply(records, made)
      apply(records, cancelling(recoveryOf(made), undefined, time))
    }
    assert.equal(found(records, userTable, user).credentials.length, 2)
  })

  it('keeps its credentials out of reach of those that it will end', () => {
    const { records, made } = waiting()
    const id = idOf(requestOfEvidence(made.evidence), 'credential')
    const credentialUuid = nameOf('credential', id)
    const evidence = byAdmin({
      ...{ method: 'PUT', path: '/auth/credentials/deactivate' },
      ...{ body: { credentialUuid }, ids: { credentialUuid: id } },
    })
    refused(records, { kind: 'credentialStatus', evidence }, /before or after a recovery/)
  })

  it('keeps keys from signing where the organization wants it so, until it is over', () => {
    for (const usesWhileWaiting of ['refused', 'allowed'] as const) {
      const { records, old, oldId } = world({ waitMs, usesWhileWaiting })
      const { wallet, stream } = withWallet(records)
      const use = (time: number, by?: KeyCredential): Made => {
        const path = pathOf('wallet', wallet, '/signatures')
        const asked = byAdmin({ path, body: {}, ids: { walletId: wallet }, time })
        const assertions = by && [by.assertion(challengeOf(asked.preimage))]
        const evidence = assertions === undefined ? asked : { ...asked, assertions }
        return { kind: 'use', evidence, time, stream }
      }
      apply(records, use(t0))
      const first = newKeyCredential()
      apply(records, recover({ old, oldId, first }))
      if (usesWhileWaiting === 'allowed') apply(records, use(t0 + 1))
      else refused(records, use(t0 + 1), /a recovery of this user is waiting/)
      refused(records, use(t0 + waitMs), /the credential is not active/)
      apply(records, use(t0 + waitMs, first))
    }
  })
})

function withWallet(records: Records) {
  const asked = byAdmin({ path: '/wallets', body: { network: 'Chain' } })
  const judged = judgeKeyRequest({ organization, time: t0, evidence: asked }, records, rules)
  assert.ok(judged.ok)
  const facts = certifyKey(cluster, judged.terms, new Uint8Array(33).fill(2))
  apply(records, { kind: 'wallet', evidence: { ...asked, facts } })
  const wallet = idOf(requestOf(asked), 'wallet')
  return { wallet, stream: keyStream(idOf(requestOf(asked), 'key')) }
}

describe('a recovery is refused', () => {
  it('without the signature of its recovery key over these very credentials', () => {
    const { records, old, oldId } = world()
    const given = { old, oldId }
    const asKind = (kind: string) => (one: object) => ({ ...one, kind })
    refused(records, recover({ ...given, recovery: asKind('Key') }), /not signed by a recovery key/)
    refused(records, recover({ ...given, recovery: () => undefined }), /not an object/)
    const stranger = newKeyCredential({ kind: 'RecoveryKey', algorithm: 'P-256' })
    refused(records, recover({ ...given, old: stranger }), /signature of the recovery key/)
    const others = () => JSON.stringify({ firstFactorCredential: { credentialKind: 'Key' } })
    refused(records, recover({ ...given, signed: others }), /has signed other credentials/)
    const more = (text: string) => JSON.stringify({ ...JSON.parse(text), more: 1 })
    refused(records, recover({ ...given, signed: more }), /has signed other credentials/)
    const noObject = () => toBase64url(randomBytes(32))
    refused(records, recover({ ...given, signed: noObject }), /signature of the recovery key/)
    // A signature over the challenge, which a server could have had elsewhere.
    const time = t0
    const preimage = challengeFor({ subjects: [{ role: 'credentialId', id: oldId }] }, time)
    const plain = () => old.get(challengeOf(preimage))
    refused(records, recover({ ...given, recovery: plain }), /signature of the recovery key/)
  })

  it('when a server has nothing but a code that it has mailed itself', () => {
    const { records, old, oldId } = world()
    const mine = newKeyCredential()
    // It knows every public thing: the id, the salt, and what the user has once signed.
    const earlier = recovering({ old, oldId, preimage: { signBefore: t0 } })
    const { recovery } = JSON.parse(earlier.payload) as { readonly recovery: unknown }
    refused(
      records,
      recover({ old, oldId, first: mine, recovery: () => recovery }),
      /has signed other credentials/,
    )
    refused(
      records,
      recover({ old: newKeyCredential({ kind: 'RecoveryKey' }), oldId, first: mine }),
      /signature of the recovery key/,
    )
    const { newCredentials } = JSON.parse(earlier.payload) as { readonly newCredentials: object }
    refused(records, recover({ old, oldId, newCredentials }), /not made for this challenge/)
  })

  it('for credentials that were made for another challenge', () => {
    const { records, old, oldId } = world()
    const challenge = toBase64url(randomBytes(32))
    refused(records, recover({ old, oldId, challenge }), /not made for this challenge/)
  })

  it('by any other credential than a live recovery key of this user', () => {
    const { records, old, oldId } = world()
    const key = newKeyCredential()
    const keyId = add(records, key)
    refused(records, recover({ old: key, oldId: keyId }), /no recovery key/)
    refused(records, recover({ old, oldId: digest }), /the recovery key is unknown/)
    refused(records, recover({ old, oldId, preimage: { user: digest } }), /user is not active/)
    const name = [user, fingerprintOf(old.spki)]
    for (const status of ['inactive', 'archived'] as const) {
      const off = records.altered(root, credentialTable, name, { status })
      refused(off, recover({ old, oldId }), /the recovery key is not active/)
    }
    const later = records.altered(root, userTable, [user], { generation: 1 })
    refused(later, recover({ old, oldId }), /the recovery key is not active/)
  })

  it("by another user's recovery key", () => {
    const { records, old, oldId } = world()
    const other = new Uint8Array(32).fill(5)
    const record = found(records, userTable, user)
    const both = put(records, userTable, [other], { ...record, credentials: [] })
    refused(both, recover({ old, oldId, preimage: { user: other } }), /recovery key is unknown/)
  })

  it('of nobody, of somebody who is not active or frozen, and of a service account', () => {
    const { records, old, oldId } = world()
    const given = { old, oldId }
    refused(records, recover({ ...given, preimage: { user: undefined } }), /nobody is recovered/)
    for (const status of ['inactive', 'archived'] as const)
      refused(records.altered(root, userTable, [user], { status }), recover(given), /not active/)
    const machine = records.altered(root, userTable, [user], { kind: 'serviceAccount' })
    refused(machine, recover(given), /a service account has no recovery/)
    for (const target of [user, organization]) {
      const frozen = put(records, frozenTable, [target], { freezes: [digest] })
      refused(frozen, recover(given), /is frozen/)
    }
  })

  it('under a challenge for something else, out of time, or that names more', () => {
    const { records, old, oldId } = world()
    const under = (preimage: Partial<Preimage>, time = t0) =>
      ({ ...recover({ old, oldId, preimage }), time }) as const
    refused(records, under({ purpose: 'register' }), /for something else/)
    refused(records, under({ path: '/auth/registration' }), /for something else/)
    refused(records, under({ organization: digest }), /another organization/)
    refused(records, under({}, t0 + 11 * minuteMs), /has expired/)
    refused(records, under({}, t0 - 6000), /from the future/)
    refused(records, under({ signBefore: t0 + 61 * minuteMs }), /too much time/)
    const subject = { role: 'credentialId', id: oldId }
    for (const subjects of [[], [subject, subject], [{ ...subject, role: 'userId' }]])
      refused(records, under({ subjects }), /more or less than a recovery key/)
    const token = { id: digest, kind: 'Pat' } as const
    refused(records, under({ token }), /no token recovers anybody/)
  })

  it('with anything beside it that no rule reads', () => {
    const { records, old, oldId } = world()
    const assertions = [assertionBy(admin, genesis.preimage)]
    const reason = /rests on its recovery key alone/
    refused(records, recover({ old, oldId, evidence: { assertions } }), reason)
    refused(records, recover({ old, oldId, evidence: { facts: digest } }), reason)
  })

  it('with credentials of no use, twice, or that this user has had', () => {
    const { records, old, oldId } = world()
    const given = { old, oldId }
    const password = { credentialKind: 'Password', credentialInfo: { password: 'a' } }
    const totp = { credentialKind: 'Totp', credentialInfo: { otpCode: '000000' } }
    const next = newKeyCredential({ kind: 'RecoveryKey' })
    const place = (made: object) => ({ create: () => made })
    refused(records, recover({ ...given, newCredentials: {} }), /no credential is brought/)
    refused(records, recover({ ...given, first: place(password) }), /no credential is brought$/)
    refused(
      records,
      recover({ ...given, first: place(password), next }),
      /no credential is brought that can sign/,
    )
    refused(records, recover({ ...given, first: place(totp) }), /not asked for/)
    refused(records, recover({ ...given, second: place(password) }), /not asked for/)
    refused(records, recover({ ...given, next: place(password) }), /not asked for/)
    refused(records, recover({ ...given, first: next }), /not asked for/)
    refused(records, recover({ ...given, next: newKeyCredential() }), /not asked for/)
    const one = newKeyCredential()
    refused(records, recover({ ...given, first: one, second: one }), /one key is brought twice/)
    refused(records, recover({ ...given, next: old }), /the user has had this key before/)
    const guarded = newKeyCredential({ kind: 'PasswordProtectedKey' })
    refused(records, recover({ ...given, first: guarded }), /keys under a password/)
    const foreign = newPasskey({ relyingParty: 'elsewhere.test' })
    refused(records, recover({ ...given, first: foreign }), /another relying party/)
  })

  it('when its user would have too many credentials', () => {
    const { records, old, oldId } = world({ waitMs })
    const listed = found(records, userTable, user).credentials
    const filled = Array.from({ length: credentialsPerUserMax - listed.length }, () => {
      const { spki } = newKeyCredential()
      return { spki, fingerprint: fingerprintOf(spki) }
    })
    const credential = found(records, credentialTable, user, fingerprintOf(old.spki))
    const full = filled.reduce(
      (all, { spki, fingerprint }) =>
        put(all, credentialTable, [user, fingerprint], { ...credential, spki, kind: 'Key' }),
      records.altered(root, userTable, [user], {
        credentials: [...listed, ...filled.map(({ fingerprint }) => fingerprint)],
      }),
    )
    refused(full, recover({ old, oldId }), /too many credentials/)
  })
})

describe('the time of a recovery', () => {
  it('is its step, which goes back behind no step before it', () => {
    const { records, old, oldId } = world({ waitMs })
    const made = { ...recover({ old, oldId }), time: t0 - 4000 }
    const outcome = tryStep(records, made)
    assert.ok(outcome.ok)
    records.apply(root, outcome.writes)
    assert.equal(found(records, recoveryTable, recoveryOf(made)).effectiveAt, t0 - 4000 + waitMs)
    const draft = {
      ...{ organization, stream: root, seq: 2, previous: noStep, time: t0 - 4000, items: [] },
      ...{ manifest: noStep, reducer: reducerVersion, heads: [], written: noStep },
    }
    const steps = { at: () => ({ hash: noStep, time: t0 }) }
    assert.match(judgeHeads(draft, steps) ?? '', /goes back in time/)
  })

  it('is not moved by a setting that changes while it waits', () => {
    const { records, old, oldId } = world({ waitMs })
    const first = newKeyCredential()
    apply(records, recover({ old, oldId, first }))
    const recovery = { ...settings.recovery, waitMs: 0 }
    const changed = put(records, settingsTable, [], { ...settings, recovery })
    assert.ok(isLive(changed, admin, t0 + waitMs - 1))
    refused(changed, adding(first, t0 + waitMs - 1), /the credential is not active/)
  })
})
