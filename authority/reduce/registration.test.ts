import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toUtf8 } from '@quorate/core/bytes'
import { idOf, nameOf } from '@quorate/core/id'
import { fingerprintOf } from '../credential.ts'
import { credentialTable, freezeTable, frozenTable, settingsTable, userTable } from '../records.ts'
import { challengeOf, completionHash, requestHash } from '../request.ts'
import { sha256 } from '@quorate/core/hash'
import { defaultSettings, type Settings } from '../settings.ts'
import { Company, type Member } from '../testing/company.ts'
import { completed, signedBy, type Opened } from '../testing/completion.ts'
import { newKeyCredential, type KeyCredential } from '../testing/key-credential.ts'
import { confirm, confirmation, enrolled, opened } from '../testing/newcomer.ts'
import { newPasskey } from '../testing/passkey.ts'
import { makePerson, requestOf, t0 } from '../testing/world.ts'

type Creator = { readonly create: (challenge: string) => object; readonly spki: Uint8Array }
type Brought = {
  readonly first?: Creator
  readonly second?: Creator
  readonly recovery?: Creator
}
const kind = 'registration' as const
const relyingParties = [{ id: 'example.test', origins: ['https://example.test'] }]

function founded(settings: Partial<Settings> = {}): Company {
  const company = new Company()
  company.write(settingsTable, [], { ...defaultSettings, relyingParties, ...settings })
  return company
}
function invited(company: Company, body: object = {}) {
  const invitation = { email: 'bob@example.test', kind: 'CustomerEmployee', ...body }
  const evidence = company.ask(company.admin, { path: '/auth/users', body: invitation })
  company.apply({ kind: 'user', evidence })
  return idOf(requestOf(evidence), 'user')
}
function bodyFor({ preimage }: Opened, { first, second, recovery }: Brought) {
  const challenge = challengeOf(preimage)
  return {
    ...(first && { firstFactorCredential: first.create(challenge) }),
    ...(second && { secondFactorCredential: second.create(challenge) }),
    ...(recovery && { recoveryCredential: recovery.create(challenge) }),
  }
}
function registering(company: Company, user: Uint8Array, brought: Brought) {
  const challenge = opened(company, user)
  return completed(challenge, bodyFor(challenge, brought))
}
function ranksOf(company: Company, user: Uint8Array, brought: readonly Creator[]) {
  return brought.map(
    ({ spki }) => company.find(credentialTable, user, fingerprintOf(spki))?.rank ?? 'none',
  )
}
function memberOf(user: Uint8Array, { key, pem, spki }: KeyCredential): Member {
  return { user, name: nameOf('user', user), by: { key, pem, spki } }
}
const recoveryKey = () => newKeyCredential({ kind: 'RecoveryKey' })

describe('a registration', () => {
  it('brings up to two factors and a way back, of every kind, all for one challenge', () => {
    const company = founded()
    const user = invited(company)
    const [first, second, recovery] = [newPasskey(), newKeyCredential(), recoveryKey()]
    const evidence = registering(company, user, { first, second, recovery })
    const made = company.apply({ kind, evidence })
    assert.ok(made.kind === kind)
    const kinds = made.credentials.map((credential) => credential.kind)
    assert.deepEqual(kinds, ['Fido2', 'Key', 'RecoveryKey'])
    const record = company.find(userTable, user) ?? assert.fail()
    assert.equal(record.registered, 'yes')
    const expected = [first, second, recovery].map(({ spki }) => fingerprintOf(spki))
    assert.deepEqual(record.credentials, expected)
    const named = completionHash(requestHash(evidence.preimage), sha256(toUtf8(evidence.payload)))
    const credential = company.find(credentialTable, user, fingerprintOf(second.spki))
    assert.deepEqual(credential?.id, idOf(named, 'credential', 1))
  })

  it('happens once, by whatever challenge', () => {
    const company = founded()
    const user = invited(company)
    const challenge = opened(company, user)
    const first = newKeyCredential()
    company.apply({ kind, evidence: completed(challenge, bodyFor(challenge, { first })) })
    const shadow = { first: newKeyCredential() }
    const same = completed(challenge, bodyFor(challenge, shadow))
    assert.match(company.refusal({ kind, evidence: same }) ?? '', /has been used/)
    const other = registering(company, user, shadow)
    assert.match(company.refusal({ kind, evidence: other }) ?? '', /registered already/)
  })

  it('is of a user who is there, active and not frozen', () => {
    const company = founded()
    const brought = { first: newKeyCredential() }
    const refusal = (user: Uint8Array) =>
      company.refusal({ kind, evidence: registering(company, user, brought) }) ?? ''
    assert.match(refusal(new Uint8Array(32).fill(3)), /not active/)
    const user = invited(company)
    company.alter(userTable, [user], { status: 'inactive' })
    assert.match(refusal(user), /not active/)
    company.alter(userTable, [user], { status: 'active' })
    const freeze = new Uint8Array(32).fill(4)
    company.write(freezeTable, [freeze], { what: 'user', target: user, status: 'active' })
    company.write(frozenTable, [user], { freezes: [freeze] })
    assert.match(refusal(user), /is frozen/)
    assert.match(refusal(company.machine.user), /registered already/)
  })

  it('is no answer to a challenge for a recovery, for nobody, or of another organization', () => {
    const company = founded()
    const user = invited(company)
    const others = [
      [{ purpose: 'recover' }, /for something else/],
      [{ user: undefined }, /nobody is registered/],
      [{ organization: new Uint8Array(32) }, /another organization/],
      [{ path: '/auth/registration/enduser' }, /is no end user/],
      [{ issuedAt: t0 - 60 * 60_000, signBefore: t0 - 1 }, /expired/],
    ] as const
    for (const [changed, reason] of others) {
      const challenge = opened(company, user, changed)
      const evidence = completed(challenge, bodyFor(challenge, { first: newKeyCredential() }))
      assert.match(company.refusal({ kind, evidence }) ?? '', reason)
    }
  })

  it('brings credentials that were made for its own challenge', () => {
    const company = founded()
    const user = invited(company)
    const [challenge, other] = [opened(company, user), opened(company, user)]
    for (const first of [newKeyCredential(), newPasskey()]) {
      const evidence = completed(challenge, bodyFor(other, { first }))
      assert.match(company.refusal({ kind, evidence }) ?? '', /not made for this challenge/)
    }
  })

  it('brings passkeys of the relying parties of the organization, verified as it wants', () => {
    const company = founded()
    const user = invited(company)
    const foreign = [
      [newPasskey({ relyingParty: 'evil.test' }), /another relying party/],
      [newPasskey({ origin: 'https://evil.test' }), /another relying party or origin/],
      [newPasskey({ userVerified: false }), /has not verified its user/],
    ] as const
    for (const [first, reason] of foreign) {
      const evidence = registering(company, user, { first })
      assert.match(company.refusal({ kind, evidence }) ?? '', reason)
    }
  })

  it('brings each kind where it belongs, and a key under a password only where that is on', () => {
    const company = founded()
    const user = invited(company)
    const sealed = newKeyCredential({ kind: 'PasswordProtectedKey' })
    const misplaced = [
      [{ first: recoveryKey() }, /of this kind is not asked for/],
      [{ first: newKeyCredential(), recovery: newKeyCredential() }, /of this kind is not asked/],
      [{ recovery: recoveryKey() }, /no first factor/],
      [{ first: sealed }, /not in use/],
    ] as const
    for (const [brought, reason] of misplaced) {
      const evidence = registering(company, user, brought)
      assert.match(company.refusal({ kind, evidence }) ?? '', reason)
    }
    company.write(settingsTable, [], { ...defaultSettings, passwordProtectedKeys: 'on' })
    company.apply({ kind, evidence: registering(company, user, { first: sealed }) })
  })

  it('brings no key twice, and none by a password alone', () => {
    const company = founded()
    const user = invited(company)
    const first = newKeyCredential()
    const twice = registering(company, user, { first, second: first })
    assert.match(company.refusal({ kind, evidence: twice }) ?? '', /brought twice/)
    const firstFactorCredential = {
      credentialKind: 'Password',
      credentialInfo: { password: 'a good one' },
    }
    const evidence = completed(opened(company, user), { firstFactorCredential })
    assert.match(company.refusal({ kind, evidence }) ?? '', /no credential is brought/)
  })
})

describe('the rank of what a newcomer brings', () => {
  it('is unconfirmed: whoever knew the code could have brought it', () => {
    const company = founded()
    for (const user of [invited(company), enrolled(company)]) {
      const brought = [newKeyCredential(), recoveryKey()] as const
      const [first, recovery] = brought
      company.apply({ kind, evidence: registering(company, user, { first, recovery }) })
      assert.deepEqual(ranksOf(company, user, brought), ['unconfirmed', 'unconfirmed'])
    }
  })

  it('is confirmed where the organization has opened it, for his kind of user alone', () => {
    const kinds = [
      ['employees', invited],
      ['endUsers', enrolled],
    ] as const
    for (const [opens] of kinds)
      for (const [asked, make] of kinds) {
        const enrolment = { ...defaultSettings.enrolment, [opens]: 'open' }
        const company = founded({ enrolment })
        const user = make(company)
        const first = newKeyCredential()
        company.apply({ kind, evidence: registering(company, user, { first }) })
        const expected = opens === asked ? 'confirmed' : 'unconfirmed'
        assert.deepEqual(ranksOf(company, user, [first]), [expected])
      }
  })

  it('signs nothing until somebody covers it, and then all that it could', () => {
    const company = founded()
    const user = invited(company)
    company.assign({ user, name: nameOf('user', user) })
    const first = newKeyCredential()
    company.apply({ kind, evidence: registering(company, user, { first }) })
    const shadow = memberOf(user, first)
    const body = { scheme: 'ECDSA', curve: 'secp256k1' }
    const acting = () => company.termsOf(company.ask(shadow, { path: '/keys', body }))
    const before = acting()
    assert.ok(!before.ok && before.reason === 'the credential is not confirmed')
    confirm(company, user)
    assert.ok(acting().ok)
  })

  it('does not change by his own word', () => {
    const company = founded()
    const user = invited(company)
    const name = nameOf('user', user)
    company.assign({ user, name })
    const first = newKeyCredential()
    company.apply({ kind, evidence: registering(company, user, { first }) })
    const evidence = confirmation(company, user, memberOf(user, first))
    const refusal = company.refusal({ kind: 'confirmation', evidence })
    assert.match(refusal ?? '', /not confirmed/)
  })
})

describe('a pinned key', () => {
  const pinnedTo = (pem: string, settings: Partial<Settings> = {}) => {
    const company = founded(settings)
    return { company, user: invited(company, { publicKey: pem }) }
  }

  it('confirms all that it has signed for', () => {
    for (const algorithm of ['ed25519', 'P-256'] as const) {
      const pin = makePerson(algorithm)
      const { company, user } = pinnedTo(pin.pem)
      const brought = [newPasskey(), recoveryKey()] as const
      const [first, recovery] = brought
      const evidence = signedBy(pin, registering(company, user, { first, recovery }))
      company.apply({ kind, evidence })
      assert.deepEqual(ranksOf(company, user, brought), ['confirmed', 'confirmed'])
    }
  })

  it('lets in nobody for whom it has not signed, also where enrolment is open', () => {
    const enrolment = { employees: 'open', endUsers: 'open' } as const
    for (const settings of [{}, { enrolment }]) {
      const { company, user } = pinnedTo(makePerson().pem, settings)
      const evidence = registering(company, user, { first: newKeyCredential() })
      assert.match(company.refusal({ kind, evidence }) ?? '', /pinned key has not signed/)
    }
  })

  it('signs this challenge with this body', () => {
    const pin = makePerson()
    const { company, user } = pinnedTo(pin.pem)
    const challenge = opened(company, user)
    const his = signedBy(pin, completed(challenge, bodyFor(challenge, { first: newPasskey() })))
    const shadow = completed(challenge, bodyFor(challenge, { first: newPasskey() }))
    const otherBody = { ...shadow, assertions: his.assertions }
    assert.match(company.refusal({ kind, evidence: otherBody }) ?? '', /not signed by the pinned/)
    const other = registering(company, user, { first: newPasskey() })
    const otherWay = { ...other, assertions: his.assertions }
    assert.match(company.refusal({ kind, evidence: otherWay }) ?? '', /not signed by the pinned/)
    const byAnother = signedBy(makePerson(), shadow)
    assert.match(company.refusal({ kind, evidence: byAnother }) ?? '', /not signed by the pinned/)
    const [assertion] = byAnother.assertions
    const renamed = { ...(assertion ?? assert.fail()), fingerprint: fingerprintOf(pin.spki) }
    const forged = { ...byAnother, assertions: [renamed] }
    assert.match(company.refusal({ kind, evidence: forged }) ?? '', /not signed by the pinned/)
    company.apply({ kind, evidence: his })
  })

  it('vouches as a credential for itself and for nothing beside it', () => {
    const first = newKeyCredential()
    const { company, user } = pinnedTo(first.pem)
    const shadow = newKeyCredential()
    const recovery = recoveryKey()
    company.apply({
      kind,
      evidence: registering(company, user, { first, second: shadow, recovery }),
    })
    const ranks = ranksOf(company, user, [first, shadow, recovery])
    assert.deepEqual(ranks, ['confirmed', 'unconfirmed', 'unconfirmed'])
  })

  it('is a way back at most, and nothing for whoever has none', () => {
    const recovery = recoveryKey()
    const { company, user } = pinnedTo(recovery.pem)
    const evidence = registering(company, user, { first: newKeyCredential(), recovery })
    assert.match(company.refusal({ kind, evidence }) ?? '', /pinned key has not signed/)
    const bob = invited(company)
    const signed = signedBy(makePerson(), registering(company, bob, { first: newKeyCredential() }))
    assert.match(company.refusal({ kind, evidence: signed }) ?? '', /nobody is asked to sign/)
  })
})
