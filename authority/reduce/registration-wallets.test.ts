import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { idOf, nameOf } from '@quorate/core/id'
import type { KeyTerms } from '../key-certificate.ts'
import { credentialTable, keyTable, nameTable, userTable, walletTable } from '../records.ts'
import { fingerprintOf } from '../credential.ts'
import { challengeOf } from '../request.ts'
import { newWalletsMax, type WholeEvidence } from '../step.ts'
import { Company, type Member } from '../testing/company.ts'
import { completed, type Opened } from '../testing/completion.ts'
import { newKeyCredential } from '../testing/key-credential.ts'
import { confirm, enrolled, opened } from '../testing/newcomer.ts'
import { certifyKey, makeCluster } from '../testing/world.ts'
import { factsOf } from './registration-wallets.ts'
import { requestOfEvidence } from './cause.ts'

const kind = 'registration' as const
const path = '/auth/registration/enduser'
const publicKey = new Uint8Array(33).fill(2)
const two = [{ network: 'Chain', name: 'savings' }, { network: 'KeyEdDSA' }] as const

/** A company with an end user who is about to register. */
function begun() {
  const company = new Company()
  const user = enrolled(company)
  return { company, user, challenge: opened(company, user, { path }) }
}
type Begun = ReturnType<typeof begun>

function bringing(
  { challenge }: { challenge: Opened },
  wallets?: unknown,
  first = newKeyCredential(),
) {
  const firstFactorCredential = first.create(challengeOf(challenge.preimage))
  return completed(challenge, { firstFactorCredential, ...(wallets !== undefined && { wallets }) })
}

/** The keys that signers would make of it, one after the other. */
function keysOf({ company }: Begun, evidence: WholeEvidence): readonly KeyTerms[] {
  const terms: KeyTerms[] = []
  for (let index = 0; index <= newWalletsMax; index++) {
    const judged = company.termsOf(evidence, index)
    if (!judged.ok) return terms
    terms.push(judged.terms)
  }
  return assert.fail('there is no end of keys')
}
function certified(at: Begun, evidence: WholeEvidence, keys = keysOf(at, evidence)) {
  const certificates = keys.map((terms) => certifyKey(at.company.cluster, terms, publicKey))
  return { ...evidence, facts: factsOf(certificates) }
}
function refusal({ company }: Begun, evidence: WholeEvidence): string {
  return company.refusal({ kind, evidence }) ?? ''
}
function unborn({ company }: Begun, evidence: WholeEvidence, index = 0): string {
  const judged = company.termsOf(evidence, index)
  return judged.ok ? '' : judged.reason
}
function first<T>([one]: readonly T[]): T {
  return one ?? assert.fail('there is none')
}

describe('a registration with wallets', () => {
  it('makes a key and a wallet for each of them, all of the newcomer', () => {
    const at = begun()
    const { company, user } = at
    const evidence = certified(at, bringing(at, two))
    const made = company.apply({ kind, evidence })
    assert.ok(made.kind === kind)
    assert.deepEqual(
      made.wallets.map(({ network }) => network),
      ['Chain', 'KeyEdDSA'],
    )
    const request = requestOfEvidence(evidence)
    for (const [index, [network, scheme, raw]] of (
      [
        ['Chain', 'ECDSA', 'no'],
        ['KeyEdDSA', 'EdDSA', 'yes'],
      ] as const
    ).entries()) {
      const [key, wallet] = [idOf(request, 'key', index), idOf(request, 'wallet', index)]
      const record = company.find(keyTable, key) ?? assert.fail()
      assert.deepEqual([record.owner, record.terms.owner], [user, user])
      assert.deepEqual([record.delegableBy, record.status], [undefined, 'active'])
      assert.deepEqual([record.terms.scheme, record.terms.raw], [scheme, raw])
      assert.deepEqual(record.wallets, [{ network, wallet }])
      assert.deepEqual(company.find(walletTable, wallet), { key, network, tags: [] })
      assert.deepEqual(company.find(nameTable, nameOf('wallet', wallet))?.id, wallet)
      assert.deepEqual(company.find(nameTable, nameOf('key', key))?.id, key)
    }
    assert.equal(company.find(userTable, user)?.registered, 'yes')
  })

  it('makes each on a key of its own, on one network too', () => {
    const at = begun()
    const same = [{ network: 'Chain' }, { network: 'Chain' }]
    const evidence = certified(at, bringing(at, same))
    const made = at.company.apply({ kind, evidence })
    assert.ok(made.kind === kind)
    const keys = made.wallets.map(({ key }) => nameOf('key', key.terms.key))
    assert.equal(new Set(keys).size, 2)
  })

  it('has one certificate for each wallet, neither fewer nor more', () => {
    const at = begun()
    const asked = bringing(at, two)
    const keys = keysOf(at, asked)
    for (const wrong of [[], keys.slice(0, 1), [...keys, first(keys)]])
      assert.match(refusal(at, certified(at, asked, wrong)), /has one key certificate/)
    assert.equal(refusal(at, certified(at, asked, keys)), '')
  })

  it('takes certificates of these very keys, in their order, by every signer', () => {
    const at = begun()
    const { company } = at
    const asked = bringing(at, [{ network: 'Chain' }, { network: 'Other' }])
    const [one, other] = keysOf(at, asked)
    assert.ok(one && other)
    const stranger = enrolled(company, 'mallory@example.test')
    const elsewhere = keysOf(at, bringing(at, two))
    for (const wrong of [
      { ...one, owner: stranger },
      { ...one, owner: undefined },
      { ...one, raw: 'yes' as const },
      { ...one, scheme: 'EdDSA' as const, curve: 'ed25519' as const },
      { ...one, organization: stranger },
      first(elsewhere),
      other,
    ])
      assert.match(refusal(at, certified(at, asked, [wrong, other])), /is of another key/)
    assert.match(refusal(at, certified(at, asked, [other, one])), /is of another key/)
    const foreign = makeCluster()
    const forged = [one, other].map((terms) => certifyKey(foreign, terms, publicKey))
    assert.match(refusal(at, { ...asked, facts: factsOf(forged) }), /not certified by every signer/)
    assert.equal(refusal(at, certified(at, asked, [one, other])), '')
  })

  it('takes no key that was made for other networks', () => {
    const at = begun()
    const factor = newKeyCredential()
    const asked = bringing(at, two, factor)
    const swapped = bringing(at, two.toReversed(), factor)
    assert.match(refusal(at, certified(at, asked, keysOf(at, swapped))), /is of another key/)
    const [one, other] = keysOf(at, asked)
    assert.ok(one && other)
    const crossed = [
      { ...one, scheme: other.scheme, curve: other.curve, raw: other.raw },
      { ...other, scheme: one.scheme, curve: one.curve, raw: one.raw },
    ]
    assert.match(refusal(at, certified(at, asked, crossed)), /is of another key/)
  })

  it('without any is one without a list, and rests on nothing', () => {
    for (const wallets of [undefined, []]) {
      const at = begun()
      const asked = bringing(at, wallets)
      const emptyList = new Uint8Array(4)
      assert.match(refusal(at, { ...asked, facts: emptyList }), /malformed bytes/)
      assert.match(unborn(at, asked), /makes no such key/)
      const idle = certified(at, asked, keysOf(at, bringing(at, two)))
      assert.match(refusal(at, idle), /has one key certificate/)
      const made = at.company.apply({ kind, evidence: asked })
      assert.ok(made.kind === kind)
      assert.deepEqual(made.wallets, [])
    }
  })

  it('names a few wallets, each on a network that there is', () => {
    const at = begun()
    for (const [wallets, reason] of [
      [1, /not a list/],
      [null, /not a list/],
      [Array.from({ length: newWalletsMax + 1 }, () => ({ network: 'Chain' })), /too many wallets/],
      [[{ network: 'Nowhere' }], /network is unknown/],
      [[{ network: 'Retired' }], /takes no new wallets/],
      [[{ name: 'savings' }], /network/],
      [['Chain'], /not an object/],
    ] as const) {
      assert.match(unborn(at, bringing(at, wallets)), reason)
      assert.match(refusal(at, bringing(at, wallets)), reason)
    }
    const most = Array.from({ length: newWalletsMax }, () => ({ network: 'Chain' }))
    assert.equal(refusal(at, certified(at, bringing(at, most))), '')
  })

  it('is an end user’s, by the path for it', () => {
    const at = begun()
    const { company, user } = at
    const plain = { challenge: opened(company, user) }
    assert.match(unborn(at, bringing(plain, two)), /makes no key/)
    assert.match(refusal(at, bringing(plain, two)), /only an end user brings wallets/)
  })
})

describe('the keys of a registration', () => {
  it('are as many as its wallets, and each has a number', () => {
    const at = begun()
    const asked = bringing(at, two)
    assert.equal(keysOf(at, asked).length, 2)
    assert.match(unborn(at, asked, 2), /makes no such key/)
  })

  it('are begun for no registration that would be refused in the end', () => {
    const at = begun()
    const { company, user } = at
    const asked = bringing(at, two)
    assert.equal(unborn(at, asked), '')
    const other = { challenge: opened(company, user, { path }) }
    const moved = { ...bringing(other, two), preimage: asked.preimage, salt: asked.salt }
    assert.match(unborn(at, moved), /not made for this challenge/)
    assert.match(unborn(at, completed(at.challenge, { wallets: two })), /no first factor/)
    company.freeze(user)
    assert.match(unborn(at, asked), /is frozen/)
    const late = begun()
    const first = bringing(late, two)
    late.company.apply({ kind, evidence: bringing(late) })
    assert.match(unborn(late, first), /registered already/)
    const gone = begun()
    gone.company.alter(userTable, [gone.user], { status: 'inactive' })
    assert.match(unborn(gone, bringing(gone, two)), /not active/)
  })

  it('are not made by an ordinary request with a number', () => {
    const { company } = begun()
    const asked = company.ask(company.admin, { path: '/wallets', body: { network: 'Chain' } })
    assert.ok(company.termsOf(asked).ok)
    const second = company.termsOf(asked, 1)
    assert.ok(!second.ok && second.reason === 'the request makes no such key')
  })
})

describe('the wallets of a newcomer whom nobody has covered', () => {
  function registered() {
    const at = begun()
    const { company, user } = at
    const factor = newKeyCredential()
    const evidence = certified(at, bringing(at, two, factor))
    company.apply({ kind, evidence })
    const name = nameOf('user', user)
    company.assign({ user, name })
    const { key, pem, spki } = factor
    const newcomer: Member = { user, name, by: { key, pem, spki } }
    return { company, newcomer, key: idOf(requestOfEvidence(evidence), 'key') }
  }
  const sign = (company: Company, author: Member, key: Uint8Array) => {
    const signing = `/keys/${nameOf('key', key)}/signatures`
    const evidence = company.ask(author, { path: signing, body: {}, ids: { keyId: key } })
    return company.refusal({ kind: 'use', evidence, key })
  }

  it('are his, and sign nothing until his credential is confirmed', () => {
    const { company, newcomer, key } = registered()
    const { user, by } = newcomer
    assert.equal(company.find(credentialTable, user, fingerprintOf(by.spki))?.rank, 'unconfirmed')
    assert.equal(sign(company, newcomer, key), 'the credential is not confirmed')
    confirm(company, user)
    assert.equal(sign(company, newcomer, key), undefined)
  })

  it('are nobody else’s, neither those of whom enrolled him nor of another end user', () => {
    const { company, key } = registered()
    for (const other of [company.machine, company.admin, company.makeEndUser()])
      assert.equal(sign(company, other, key), "the key is another user's")
  })
})
