import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { idOf } from '@quorate/core/id'
import {
  keyStatementHash,
  readBirth,
  sealKeyCertificate,
  type PooledTerms,
} from '../key-certificate.ts'
import { keyTable, pooledKeyTable } from '../records.ts'
import { noStep, reducerVersion, type Evidence } from '../step.ts'
import { Company, type Member } from '../testing/company.ts'
import { completed } from '../testing/completion.ts'
import { newKeyCredential } from '../testing/key-credential.ts'
import { enrolled, opened } from '../testing/newcomer.ts'
import { certifyKey, certifyPooled, makeCluster, requestOf, t0 } from '../testing/world.ts'
import { challengeOf } from '../request.ts'
import { factsOf } from './registration-wallets.ts'
import { requestOfEvidence } from './cause.ts'
import { draftStep } from './step.ts'

const publicKey = new Uint8Array(33).fill(2)
const onSecp256k1 = { scheme: 'ECDSA', curve: 'secp256k1' } as const

function pooled({ cluster, organization }: Company, change: Partial<PooledTerms> = {}, key = 2) {
  const terms = { organization, ...onSecp256k1, bindBefore: t0, ...change }
  return certifyPooled(cluster, terms, new Uint8Array(33).fill(key))
}
const hashOf = (certificate: Uint8Array) => keyStatementHash(readBirth(certificate).signed)
const wallet = (company: Company, by: Member = company.admin) =>
  company.ask(by, { path: '/wallets', body: { network: 'Chain' } })
const key = (company: Company, body: object = onSecp256k1) =>
  company.ask(company.admin, { path: '/keys', body })
const on = (evidence: Evidence, facts: Uint8Array) => ({ ...evidence, facts })

describe('a key from the pool', () => {
  it('becomes what the request says that binds it, whose it says', () => {
    const company = new Company()
    const user = company.makeEndUser()
    const certificate = pooled(company)
    const asked = wallet(company, user)
    const made = company.apply({ kind: 'wallet', evidence: on(asked, certificate) })
    assert.ok(made.kind === 'wallet' && made.key.kind === 'created')
    const id = idOf(requestOf(asked), 'key')
    assert.deepEqual(made.key.certificate, hashOf(certificate))
    const record = company.find(keyTable, id) ?? assert.fail()
    const { terms } = record
    assert.deepEqual([terms.key, terms.request], [id, requestOf(asked)])
    assert.deepEqual([terms.owner, record.owner, terms.raw], [user.user, user.user, 'no'])
    assert.deepEqual([record.certificate, record.publicKey], [hashOf(certificate), publicKey])
    assert.deepEqual(company.find(pooledKeyTable, hashOf(certificate)), { key: id })
  })

  it('is bound once, whoever asks and for whatever', () => {
    const company = new Company()
    const certificate = pooled(company)
    company.apply({ kind: 'key', evidence: on(key(company), certificate) })
    const bound = 'the pooled key is bound already'
    for (const by of [company.admin, company.machine, company.makeEndUser()])
      assert.equal(
        company.refusal({ kind: 'wallet', evidence: on(wallet(company, by), certificate) }),
        bound,
      )
    assert.equal(company.refusal({ kind: 'key', evidence: on(key(company), certificate) }), bound)
    const another = pooled(company, {}, 3)
    assert.equal(company.refusal({ kind: 'key', evidence: on(key(company), another) }), undefined)
  })

  it('is bound once by the items of one step, too', () => {
    const company = new Company()
    const certificate = pooled(company)
    const draft = {
      ...{ organization: company.organization, stream: company.root, previous: noStep, seq: 1 },
      ...{ heads: [], time: t0, manifest: company.cluster.manifest.hash, reducer: reducerVersion },
    }
    const asked = [
      { kind: 'wallet', evidence: on(wallet(company), certificate) },
      { kind: 'key', evidence: on(key(company), certificate) },
    ] as const
    assert.deepEqual(draftStep(draft, asked, company.records, company.rules), {
      ok: false,
      item: 1,
      reason: 'the pooled key is bound already',
    })
  })

  it('is of this organization and of the kind that was asked for', () => {
    const company = new Company()
    for (const [change, reason] of [
      [{ organization: noStep }, "the pooled key is another organization's"],
      [{ scheme: 'EdDSA', curve: 'ed25519' }, 'the pooled key is of another kind'],
      [{ scheme: 'EdDSA' }, 'the pooled key is of another kind'],
      [{ curve: 'ed25519' }, 'the pooled key is of another kind'],
    ] as const)
      assert.equal(
        company.refusal({ kind: 'wallet', evidence: on(wallet(company), pooled(company, change)) }),
        reason,
      )
  })

  it('is no master key, which is born for its request', () => {
    const company = new Company()
    const evidence = on(key(company, { ...onSecp256k1, masterKey: true }), pooled(company))
    assert.equal(company.refusal({ kind: 'key', evidence }), 'a master key is born for its request')
  })

  it('is no key that signs as itself, of which its certificate has to speak', () => {
    const company = new Company()
    const schnorr = { scheme: 'Schnorr', curve: 'secp256k1' } as const
    const refusal = (body: object) =>
      company.refusal({ kind: 'key', evidence: on(key(company, body), pooled(company, schnorr)) })
    assert.equal(
      refusal({ ...schnorr, untweaked: true }),
      'an untweaked key is born for its request',
    )
    assert.equal(refusal(schnorr), undefined)
  })

  it('is certified by every signer of this cluster', () => {
    const company = new Company()
    const unsigned = 'the key is not certified by every signer'
    const good = pooled(company)
    const { signed, signatures } = readBirth(good)
    const foreign = pooled({ ...company, cluster: makeCluster() } as Company)
    const fewer = sealKeyCertificate(signed, signatures.slice(1))
    const twice = sealKeyCertificate(signed, [...signatures.slice(1), ...signatures.slice(-1)])
    for (const facts of [good.with(-1, 1 ^ (good.at(-1) ?? 0)), foreign, fewer, twice])
      assert.equal(
        company.refusal({ kind: 'wallet', evidence: on(wallet(company), facts) }),
        unsigned,
      )
    assert.equal(
      company.refusal({ kind: 'wallet', evidence: on(wallet(company), good) }),
      undefined,
    )
  })

  it('is bound in time: later, signers have forgotten it', () => {
    const company = new Company()
    const evidence = on(wallet(company), pooled(company, { bindBefore: t0 - 1 }))
    assert.equal(
      company.refusal({ kind: 'wallet', evidence }),
      'the pooled key has waited too long',
    )
  })

  it('has no owner and no request from birth on, or is another’s', () => {
    const company = new Company()
    const { user } = company.makeEndUser()
    const { signed, signatures } = readBirth(pooled(company))
    const longer = sealKeyCertificate(new Uint8Array([...signed, 1, ...user]), signatures)
    const evidence = on(wallet(company), longer)
    assert.match(company.refusal({ kind: 'wallet', evidence }) ?? '', /malformed bytes/)
    const judged = company.termsOf(wallet(company))
    assert.ok(judged.ok)
    const owned = certifyKey(company.cluster, { ...judged.terms, owner: user }, publicKey)
    assert.equal(
      company.refusal({ kind: 'wallet', evidence: on(wallet(company), owned) }),
      'the certificate is of another key',
    )
  })

  it('serves a newcomer, each of his wallets on another', () => {
    const company = new Company()
    const challenge = opened(company, enrolled(company), { path: '/auth/registration/enduser' })
    const firstFactorCredential = newKeyCredential().create(challengeOf(challenge.preimage))
    const wallets = [{ network: 'Chain' }, { network: 'Other' }]
    const asked = completed(challenge, { firstFactorCredential, wallets })
    const [one, other] = [pooled(company), pooled(company, {}, 3)]
    const with_ = (...certificates: readonly Uint8Array[]) =>
      ({ kind: 'registration', evidence: on(asked, factsOf(certificates)) }) as const
    assert.equal(company.refusal(with_(one, one)), 'each new wallet has a key of its own')
    company.apply(with_(one, other))
    for (const [index, certificate] of [one, other].entries()) {
      const id = idOf(requestOfEvidence(asked), 'key', index)
      assert.deepEqual(company.find(pooledKeyTable, hashOf(certificate)), { key: id })
      assert.deepEqual(company.find(keyTable, id)?.certificate, hashOf(certificate))
    }
    const evidence = on(wallet(company), other)
    assert.equal(company.refusal({ kind: 'wallet', evidence }), 'the pooled key is bound already')
  })
})
