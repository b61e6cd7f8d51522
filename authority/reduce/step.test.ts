import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { idOf } from '@quorate/core/id'
import type { KeyTerms } from '../key-certificate.ts'
import {
  credentialTable,
  decodeRecord,
  grantsTable,
  keyTable,
  recordKey,
  tokenTable,
  userTable,
} from '../records.ts'
import { fingerprintOf } from '../credential.ts'
import { noStep, reducerVersion, type WholeEvidence, type ItemKind } from '../step.ts'
import { keyStream, rootOf, type StreamId } from '../stream.ts'
import { nothingLeaves, policies } from '../testing/policies.ts'
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
import { decodePreimage, encodePreimage } from '../request.ts'
import { judgeKeyRequest, messagesOf } from './questions.ts'
import { draftStep, reduceStep, unknownReducer, type Draft } from './step.ts'
import type { PlanAsk, Rules } from './judging.ts'

const cluster = makeCluster()
const admin = makePerson('P-256')
const machine = makePerson()
const genesis = makeGenesis(cluster, admin)
const organization = idOf(requestOf(genesis), 'organization')
const root = rootOf(organization)
const adminId = idOf(requestOf(genesis), 'user')
const digest = new Uint8Array(32).fill(9)

const traits = {
  scheme: 'ECDSA',
  curve: 'secp256k1',
  isRetired: false,
  hasSponsors: false,
} as const

/** What `judge/` gives is tested there; here the plan is whatever the payload says. */
const rules: Rules = {
  manifest: cluster.manifest,
  networkOf: (id) =>
    ({
      Chain: { ...traits, separated: true, rawAllowed: false },
      Other: { ...traits, separated: true, rawAllowed: false },
      Retired: { ...traits, separated: true, rawAllowed: false, isRetired: true },
      Blurred: { ...traits, separated: false, rawAllowed: false },
      KeyECDSA: { ...traits, separated: false, rawAllowed: true },
    })[id],
  plan: ({ payload, network, rawAllowed }: PlanAsk) => {
    const asked = JSON.parse(payload) as { slot?: number; named?: boolean; raw?: boolean }
    if (asked.raw && !rawAllowed) return { ok: false, reason: 'raw is not allowed' }
    return {
      ok: true,
      network: network === '' ? 'KeyECDSA' : network,
      slot: asked.slot === undefined ? undefined : BigInt(asked.slot),
      slotNamed: asked.named ?? false,
      fee: 1n,
      digests: [digest],
      messages: [digest],
      outflow: nothingLeaves,
    }
  },
  planSponsorship: () => ({ ok: false, reason: 'nobody pays for others here' }),
  childOf: () => undefined,
  policies,
}

function place(stream: StreamId, seq: number, time = t0): Draft {
  return {
    organization,
    stream,
    seq,
    previous: noStep,
    manifest: cluster.manifest.hash,
    reducer: reducerVersion,
    time,
    heads: [],
  }
}

type Made = {
  readonly stream: StreamId
  readonly kind: ItemKind
  readonly evidence: WholeEvidence
  readonly time?: number
}

function tryStep(records: Records, { stream, kind, evidence, time }: Made) {
  const draft = place(stream, stream.kind === 'root' && kind === 'genesis' ? 0 : 1, time)
  const drafted = draftStep(draft, [{ kind, evidence }], records, rules)
  if (!drafted.ok) return drafted
  return { ...reduceStep(drafted.step, [evidence], records, rules), step: drafted.step }
}

function apply(records: Records, made: Made): void {
  const outcome = tryStep(records, made)
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.reason)
  records.apply(made.stream, outcome.writes)
}

function refusal(records: Records, made: Made): string | undefined {
  const outcome = tryStep(records, made)
  return outcome.ok ? undefined : outcome.reason
}

const byAdmin = (ask: Omit<Ask, 'organization' | 'user' | 'by'> & Partial<Ask>): WholeEvidence =>
  makeRequest({ organization, user: adminId, by: admin, ...ask })

function born(): Records {
  const records = new Records()
  apply(records, { stream: root, kind: 'genesis', evidence: genesis })
  return records
}

/** An organization with a service account that may do everything, and one wallet on a chain. */
function world() {
  const records = born()
  const account = byAdmin({
    path: '/auth/service-accounts',
    body: { name: 'api', publicKey: machine.pem, daysValid: 30 },
  })
  apply(records, { stream: root, kind: 'serviceAccount', evidence: account })
  const user = idOf(requestOf(account), 'user')
  const token = idOf(requestOf(account), 'token')
  const permission = idOf(requestOf(genesis), 'permission')
  const assign = byAdmin({
    path: pathOf('permission', permission, '/assignments'),
    body: { identityId: nameOfUser(user) },
    ids: { permissionId: permission, identityId: user },
  })
  apply(records, { stream: root, kind: 'assignment', evidence: assign })
  const byMachine = (
    ask: Omit<Ask, 'organization' | 'user' | 'by'> & Partial<Ask>,
  ): WholeEvidence => makeRequest({ organization, user, token, by: machine, ...ask })
  const wallet = withKey(
    records,
    byMachine({ path: '/wallets', body: { network: 'Chain' } }),
    'wallet',
  )
  return { records, user, token, byMachine, ...wallet }
}

function nameOfUser(user: Uint8Array): string {
  return pathOf('key', user, '').replace('/keys/key', 'us')
}

function certified(records: Records, evidence: WholeEvidence): WholeEvidence {
  const judged = judgeKeyRequest({ organization, time: t0, evidence }, records, rules)
  assert.ok(judged.ok, judged.ok ? '' : judged.reason)
  return { ...evidence, facts: certifyKey(cluster, judged.terms, new Uint8Array(33).fill(2)) }
}

function withKey(records: Records, asked: WholeEvidence, kind: 'key' | 'wallet') {
  apply(records, { stream: root, kind, evidence: certified(records, asked) })
  return { key: idOf(requestOf(asked), 'key'), wallet: idOf(requestOf(asked), 'wallet') }
}

describe('an organization', () => {
  it('is born of a request that its administrator signed', () => {
    const records = born()
    const user = records.read(root, recordKey(userTable, adminId))
    assert.equal(user && decodeRecord(userTable, user).kind, 'employee')
  })

  it('is not born of a signature by another, of another id, or for another cluster', () => {
    const forged = { ...genesis, assertions: [assertionBy(machine, genesis.preimage)] }
    const made = { stream: root, kind: 'genesis' } as const
    assert.equal(
      refusal(new Records(), { ...made, evidence: forged }),
      'the signature is not valid',
    )
    const other = makeGenesis(cluster, admin)
    assert.equal(
      refusal(new Records(), { ...made, evidence: other }),
      'the genesis is not well-formed',
    )
    const foreign = makeGenesis(makeCluster(), admin)
    const id = idOf(requestOf(foreign), 'organization')
    const drafted = draftStep(
      { ...place(rootOf(id), 0), organization: id },
      [{ kind: 'genesis', evidence: foreign }],
      new Records(),
      rules,
    )
    assert.deepEqual(drafted, { ok: false, item: 0, reason: 'the genesis trusts another cluster' })
  })
})

describe('a stream', () => {
  it('is the one root of its organization, in which nothing can be begun or used again', () => {
    const elsewhere: StreamId = { kind: 'root', id: noStep }
    const evidence = byAdmin({
      path: '/auth/service-accounts',
      body: { name: 'api', publicKey: machine.pem },
    })
    for (const made of [
      { stream: elsewhere, kind: 'genesis', evidence: genesis },
      { stream: elsewhere, kind: 'serviceAccount', evidence },
    ] as const)
      assert.equal(refusal(born(), made), 'the organization has no such stream')
  })

  it('is that of a key that the organization has', () => {
    const w = world()
    const asked = w.byMachine({
      path: pathOf('wallet', w.wallet, '/transfers'),
      body: {},
      ids: { walletId: w.wallet },
    })
    for (const kind of ['key', 'user'] as const)
      assert.equal(
        refusal(w.records, { stream: { kind, id: noStep }, kind: 'use', evidence: asked }),
        'the organization has no such stream',
      )
  })
})

describe('a request', () => {
  const account = { path: '/auth/service-accounts', body: { name: 'api', publicKey: machine.pem } }
  const made = (evidence: WholeEvidence, time = t0) =>
    ({ stream: root, kind: 'serviceAccount', evidence, time }) as const
  const signedAnew = (evidence: WholeEvidence, change: object): WholeEvidence => {
    const preimage = encodePreimage({ ...decodePreimage(evidence.preimage), ...change })
    return { ...evidence, preimage, assertions: [assertionBy(admin, preimage)] }
  }

  it('is accepted once, while it lasts', () => {
    const records = born()
    const evidence = byAdmin(account)
    apply(records, made(evidence))
    assert.equal(refusal(records, made(evidence)), 'the request has been used')
    assert.equal(refusal(born(), made(byAdmin(account), t0 + 601_000)), 'the request has expired')
    assert.equal(
      refusal(born(), made(byAdmin(account), t0 - 6_000)),
      'the request comes from the future',
    )
  })

  it('is refused when anything but its author says so', () => {
    const evidence = byAdmin(account)
    const cases: readonly (readonly [WholeEvidence, string])[] = [
      [{ ...evidence, assertions: [] }, 'nobody has signed'],
      [
        { ...evidence, assertions: [assertionBy(machine, evidence.preimage)] },
        'the credential is not active',
      ],
      [
        { ...evidence, assertions: [...evidence.assertions, ...evidence.assertions] },
        'one credential has signed twice',
      ],
      [
        { ...evidence, payload: evidence.payload.replace('api', 'abi') },
        'the payload is not the one that was signed',
      ],
      [{ ...evidence, salt: new Uint8Array(32) }, 'the payload is not the one that was signed'],
      [{ ...evidence, assertions: byAdmin(account).assertions }, 'the signature is not valid'],
      [
        signedAnew(evidence, { organization: new Uint8Array(32) }),
        'the request is for another organization',
      ],
      [
        signedAnew(evidence, { purpose: 'login' }),
        'the payload is not the one that the item names',
      ],
      [
        signedAnew(evidence, { path: '/auth/service-accounts/' }),
        'the request asks for nothing that changes anything',
      ],
      [signedAnew(evidence, { path: '/wallets' }), 'the item does not stand where it belongs'],
      [
        signedAnew(evidence, { subjects: [{ role: 'x', id: noStep }] }),
        'the subjects are not those of the request',
      ],
      [
        signedAnew(evidence, { signBefore: t0 + 2 ** 40 }),
        'the request allows itself too much time',
      ],
      [signedAnew(evidence, { token: { id: noStep, kind: 'Pat' } }), 'the token is unknown'],
      [signedAnew(evidence, { user: new Uint8Array(32) }), 'the user is not active'],
    ]
    for (const [changed, reason] of cases) assert.equal(refusal(born(), made(changed)), reason)
  })

  it('is refused when its author is not active, not confirmed, or not permitted', () => {
    const evidence = byAdmin(account)
    const name = [adminId, fingerprintOf(admin.spki)]
    const cases = [
      [
        born().altered(root, userTable, [adminId], { status: 'inactive' }),
        'the user is not active',
      ],
      [
        born().altered(root, credentialTable, name, { status: 'inactive' }),
        'the credential is not active',
      ],
      [
        born().altered(root, credentialTable, name, { generation: 1 }),
        'the credential is not active',
      ],
      [
        born().altered(root, credentialTable, name, { rank: 'unconfirmed' }),
        'the credential is not confirmed',
      ],
      [
        born().altered(root, credentialTable, name, { token: noStep }),
        'the credential is not of this token',
      ],
      [
        born().altered(root, grantsTable, [adminId], { entries: [] }),
        'not authorized to perform operation (Auth:ServiceAccounts:Create)',
      ],
    ] as const
    for (const [records, reason] of cases) assert.equal(refusal(records, made(evidence)), reason)
  })

  it('cannot be drafted as one thing and entered as another', () => {
    const evidence = byAdmin(account)
    const drafted = draftStep(place(root, 1), [{ kind: 'serviceAccount', evidence }], born(), rules)
    assert.ok(drafted.ok)
    const [item] = drafted.step.items
    assert.ok(item)
    const changed = (part: object) => ({ ...drafted.step, items: [{ ...item, ...part }] })
    const reasonOf = (step: typeof drafted.step) => {
      const outcome = reduceStep(step, [evidence], born(), rules)
      return outcome.ok ? undefined : outcome.reason
    }
    assert.equal(reasonOf(drafted.step), undefined)
    assert.equal(
      reasonOf(
        changed({
          operation: {
            kind: 'serviceAccount',
            publicKey: admin.spki,
            permission: undefined,
            expiresAt: 1,
          },
        }),
      ),
      'the item does something else than was asked for',
    )
    assert.equal(reasonOf(changed({ facts: noStep })), 'other facts')
    assert.equal(reasonOf(changed({ assertions: noStep })), 'other assertions')
    assert.equal(
      reasonOf(changed({ versions: [{ record: noStep, seq: 1 }] })),
      'versions are not understood',
    )
    assert.equal(
      reasonOf(changed({ cause: { kind: 'request', hash: noStep } })),
      'the item names another request',
    )
    assert.equal(
      reasonOf({ ...drafted.step, written: noStep }),
      'the step changes other records than it says',
    )
    assert.equal(reasonOf({ ...drafted.step, reducer: 2 }), unknownReducer)
    assert.equal(reasonOf({ ...drafted.step, manifest: noStep }), 'the step is for another cluster')
  })
})

describe('a service account', () => {
  it('makes no other, and dies with its token', () => {
    const { records, byMachine, token } = world()
    const more = byMachine({
      path: '/auth/service-accounts',
      body: { name: 'b', publicKey: admin.pem },
    })
    assert.equal(
      refusal(records, { stream: root, kind: 'serviceAccount', evidence: more }),
      'no caller of this kind may ask for this',
    )
    const expired = records.altered(root, tokenTable, [token], { expiresAt: t0 - 1 })
    const wallet = byMachine({ path: '/wallets', body: { network: 'Chain' } })
    const judged = judgeKeyRequest({ organization, time: t0, evidence: wallet }, expired, rules)
    assert.deepEqual(judged, { ok: false, reason: 'the token has expired' })
  })
})

describe('a key', () => {
  it('needs a certificate by every signer, about this very key', () => {
    const { records, byMachine } = world()
    const asked = byMachine({ path: '/keys', body: { scheme: 'ECDSA', curve: 'secp256k1' } })
    const good = certified(records, asked)
    const made = (facts: Uint8Array) =>
      ({ stream: root, kind: 'key', evidence: { ...asked, facts } }) as const
    assert.equal(refusal(records, made(good.facts)), undefined)
    const unsigned = 'the key is not certified by every signer'
    assert.equal(
      refusal(records, made(good.facts.with(-1, 1 ^ (good.facts.at(-1) ?? 0)))),
      unsigned,
    )
    const judged = judgeKeyRequest({ organization, time: t0, evidence: asked }, records, rules)
    assert.ok(judged.ok)
    const other = (terms: Partial<KeyTerms>) =>
      certifyKey(cluster, { ...judged.terms, ...terms }, new Uint8Array(33).fill(2))
    for (const terms of [
      { raw: 'no' },
      { untweaked: 'yes' },
      { owner: noStep },
      { key: noStep },
      { request: noStep },
      { scheme: 'EdDSA' },
    ] as const)
      assert.equal(refusal(records, made(other(terms))), 'the certificate is of another key')
    const foreign = certifyKey(makeCluster(), judged.terms, new Uint8Array(33).fill(2))
    assert.equal(refusal(records, made(foreign)), unsigned)
  })

  it('joins a second network only where signatures tell them apart, and then signs nothing raw', () => {
    const { records, byMachine } = world()
    const key = withKey(
      records,
      byMachine({ path: '/keys', body: { scheme: 'ECDSA', curve: 'secp256k1' } }),
      'key',
    ).key
    const join = (network: string) =>
      byMachine({
        path: '/wallets',
        body: { network, signingKey: { id: pathOf('key', key, '').slice(6) } },
        ids: { 'signingKey.id': key },
      })
    const hash = () =>
      byMachine({
        path: pathOf('key', key, '/signatures'),
        body: { raw: true },
        ids: { keyId: key },
      })
    const use = (evidence: WholeEvidence) =>
      ({ stream: keyStream(key), kind: 'use', evidence }) as const
    assert.equal(refusal(records, use(hash())), undefined)
    apply(records, { stream: root, kind: 'wallet', evidence: join('Chain') })
    assert.equal(refusal(records, use(hash())), 'raw is not allowed')
    apply(records, { stream: root, kind: 'wallet', evidence: join('Other') })
    const made = (evidence: WholeEvidence) => ({ stream: root, kind: 'wallet', evidence }) as const
    assert.equal(refusal(records, made(join('Chain'))), 'the key has a wallet on this network')
    const blurred = 'the signatures of these networks cannot be told apart'
    assert.equal(refusal(records, made(join('Blurred'))), blurred)
    assert.equal(refusal(records, made(join('KeyECDSA'))), blurred)
    const gone = 'the network takes no new wallets'
    assert.equal(refusal(records, made(join('Retired'))), gone)
    const stored = records.read(root, recordKey(keyTable, key))
    assert.equal(stored && decodeRecord(keyTable, stored).wallets.length, 2)
  })

  it('joins no network of another scheme, nor of another curve', () => {
    const { records, byMachine } = world()
    const keyOf = (body: object) => withKey(records, byMachine({ path: '/keys', body }), 'key').key
    const joining = (key: Uint8Array, network: string) =>
      refusal(records, {
        ...{ stream: root, kind: 'wallet' },
        evidence: byMachine({
          path: '/wallets',
          body: { network, signingKey: { id: pathOf('key', key, '').slice(6) } },
          ids: { 'signingKey.id': key },
        }),
      })
    const ours = keyOf({ scheme: 'ECDSA', curve: 'secp256k1' })
    assert.equal(joining(ours, 'Chain'), undefined)
    for (const [scheme, curve] of [
      ['Schnorr', 'secp256k1'],
      ['ECDSA', 'stark'],
      ['EdDSA', 'ed25519'],
    ])
      assert.equal(joining(keyOf({ scheme, curve }), 'Chain'), 'the key does not suit the network')
  })

  it('signs as itself only if it was asked for so, alone and with Schnorr', () => {
    const { records, byMachine } = world()
    const schnorr = { scheme: 'Schnorr', curve: 'secp256k1' }
    const termsOf = (path: string, body: object) => {
      const evidence = byMachine({ path, body })
      const judged = judgeKeyRequest({ organization, time: t0, evidence }, records, rules)
      return judged.ok ? judged.terms.untweaked : judged.reason
    }
    assert.equal(termsOf('/keys', { ...schnorr, untweaked: true }), 'yes')
    assert.equal(termsOf('/keys', { ...schnorr, untweaked: false }), 'no')
    assert.equal(termsOf('/keys', schnorr), 'no')
    for (const [scheme, curve] of [
      ['ECDSA', 'secp256k1'],
      ['EdDSA', 'ed25519'],
      ['DH', 'secp256k1'],
    ])
      assert.equal(
        termsOf('/keys', { scheme, curve, untweaked: true }),
        'only Schnorr keys are tweaked or not',
      )
    const wallet = { network: 'Chain' }
    for (const body of [
      { ...wallet, untweaked: true },
      { ...wallet, signingKey: { untweaked: true } },
    ])
      assert.equal(termsOf('/wallets', body), 'untweaked is not supported')
  })

  it('is born for no network that is retired', () => {
    const { records, byMachine } = world()
    const at = (network: string) => {
      const evidence = byMachine({ path: '/wallets', body: { network } })
      return judgeKeyRequest({ organization, time: t0, evidence }, records, rules)
    }
    assert.equal(at('Chain').ok, true)
    assert.deepEqual(at('Retired'), { ok: false, reason: 'the network takes no new wallets' })
  })

  it('may name the one store that there is', () => {
    const { records, byMachine } = world()
    const key = { scheme: 'ECDSA', curve: 'secp256k1', storeId: 'signers' }
    const wallet = { network: 'Chain', signingKey: { storeId: 'signers' } }
    const other = { network: 'Chain', signingKey: { storeId: 'another' } }
    const judged = [
      ['/keys', key] as const,
      ['/wallets', wallet] as const,
      ['/wallets', other] as const,
    ].map(([path, body]) => {
      const evidence = byMachine({ path, body })
      return judgeKeyRequest({ organization, time: t0, evidence }, records, rules).ok
    })
    assert.deepEqual(judged, [true, true, false])
  })

  it('is not made of options that are not understood', () => {
    const { records, byMachine } = world()
    for (const body of [
      { scheme: 'ECDSA', curve: 'secp256k1', masterKey: 1 },
      { scheme: 'Schnorr', curve: 'secp256k1', untweaked: 'yes' },
      { scheme: 'ECDSA', curve: 'secp256k1', storeId: 'another' },
      { scheme: 'ECDSA', curve: 'ed25519' },
      { scheme: 'toString', curve: 'x' },
    ]) {
      const evidence = byMachine({ path: '/keys', body })
      assert.equal(judgeKeyRequest({ organization, time: t0, evidence }, records, rules).ok, false)
    }
  })
})

describe('a use of a key', () => {
  const ask = (w: ReturnType<typeof world>, body: object) =>
    w.byMachine({
      path: pathOf('wallet', w.wallet, '/transfers'),
      body,
      ids: { walletId: w.wallet },
    })
  const use = (
    w: ReturnType<typeof world>,
    evidence: WholeEvidence,
    kind: ItemKind = 'use',
    time = t0,
  ) => ({ stream: keyStream(w.key), kind, evidence, time }) as const

  it('takes its slot for ever, and the slot its request', () => {
    const w = world()
    const first = ask(w, { slot: 7 })
    apply(w.records, use(w, first))
    assert.equal(refusal(w.records, use(w, first)), 'the request has been used')
    assert.equal(
      refusal(w.records, use(w, ask(w, { slot: 7 }))),
      'the slot is taken by another request',
    )
    assert.equal(refusal(w.records, use(w, ask(w, { slot: 7, named: true }))), undefined)
    assert.equal(refusal(w.records, use(w, ask(w, { slot: 8 }))), undefined)
  })

  it('is renewed as it was or not at all', () => {
    const w = world()
    const first = ask(w, { slot: 7 })
    assert.equal(refusal(w.records, use(w, first, 'renew')), 'there is nothing to renew')
    apply(w.records, use(w, first))
    const hour = 3_600_000
    assert.equal(refusal(w.records, use(w, first, 'renew', t0 + hour)), undefined)
    assert.equal(
      refusal(w.records, use(w, first, 'renew', t0 + 8 * 24 * hour)),
      'the request has expired',
    )
  })

  it("stands in its own key's stream and in no other", () => {
    const w = world()
    const asked = w.byMachine({ path: '/keys', body: { scheme: 'ECDSA', curve: 'secp256k1' } })
    const other = withKey(w.records, asked, 'key')
    const made = { ...use(w, ask(w, { slot: 7 })), stream: keyStream(other.key) }
    assert.equal(refusal(w.records, made), 'the use stands in the stream of another key')
    assert.equal(
      refusal(w.records, { ...made, stream: root }),
      'the item does not stand where it belongs',
    )
  })

  it('names its wallet in full, and a wallet that exists', () => {
    const w = world()
    const other = w.byMachine({
      path: pathOf('wallet', w.wallet, '/transfers'),
      body: {},
      ids: { walletId: w.wallet.with(31, 1 ^ (w.wallet[31] ?? 0)) },
    })
    assert.equal(refusal(w.records, use(w, other)), 'there is no such wallet')
    const misnamed = w.byMachine({
      path: pathOf('wallet', w.wallet, '/transfers'),
      body: {},
      ids: { walletId: w.key },
    })
    assert.equal(
      refusal(w.records, use(w, misnamed)),
      'the subject walletId is not the one that is named',
    )
  })

  it('gives its messages only while its author may still sign', () => {
    const w = world()
    const evidence = ask(w, { slot: 7 })
    const drafted = draftStep(
      place(keyStream(w.key), 1),
      [{ kind: 'use', evidence }],
      w.records,
      rules,
    )
    assert.ok(drafted.ok)
    const reader = w.records
    const asked = { step: drafted.step, evidence: [evidence], reader, rules }
    assert.deepEqual(messagesOf(asked, 0), { ok: true, messages: [digest] })
    const gone = w.records.altered(root, userTable, [w.user], { status: 'inactive' })
    assert.deepEqual(messagesOf({ ...asked, reader: gone }, 0), {
      ok: false,
      reason: 'the user is not active',
    })
  })
})
