import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toBase64url, toHex } from '@quorate/core/bytes'
import { makePerson, makeRequest, t0 } from '@quorate/authority/testing/world'
import { challengeOf, type Preimage } from '@quorate/authority/request'
import { checkChallenge, Misled, type Asked } from './check-request.ts'

const organization = new Uint8Array(32).fill(1)
const body = { kind: 'Native', to: '0x1', amount: '5' }
const path = '/wallets/wa-aaaaa-aaaaa-aaaaaaaaaaaaaaaa/transfers'
const asked: Asked = {
  purpose: 'action',
  method: 'POST',
  path,
  payload: JSON.stringify(body),
  organization,
}

function given(change: Partial<Preimage> = {}, paid: object = body) {
  const person = makePerson()
  const ids = { walletId: organization }
  const user = organization
  const made = makeRequest({
    organization,
    user,
    by: person,
    path,
    body: paid,
    ids,
    preimage: change,
  })
  return {
    challenge: challengeOf(made.preimage),
    preimage: toBase64url(made.preimage),
    salt: toHex(made.salt),
  }
}

describe('a challenge', () => {
  it('is signed when it is the request that was asked for', () => {
    assert.equal(checkChallenge(given(), asked, t0).path, path)
  })

  it('is not signed when a server has put another request into it', () => {
    const misled = (challenge: ReturnType<typeof given>, reason: string, now = t0) =>
      assert.throws(() => checkChallenge(challenge, asked, now), new Misled(reason))
    const other = 'The challenge is for another request.'
    misled(given({}, { ...body, amount: '6' }), other)
    misled(given({ path: path.replace('wa-a', 'wa-b') }), other)
    misled(given({ method: 'PUT' }), other)
    misled(given({ purpose: 'login' }), other)
    misled({ ...given(), salt: '00'.repeat(32) }, other)
    misled(
      given({ organization: new Uint8Array(32) }),
      'The challenge is for another organization.',
    )
    misled(
      { ...given(), challenge: 'A'.repeat(43) },
      'The challenge is not the hash of its pre-image.',
    )
    misled(given(), 'The challenge is not of now.', t0 + 120_000)
    misled(given({ signBefore: t0 + 3_600_001 }), 'The challenge is not of now.')
    misled(given({ executeBefore: t0 + 8 * 24 * 3_600_000 }), 'The challenge is not of now.')
  })

  it('may wait for an hour where it stands in line, and a quarter of one elsewhere', () => {
    const [quarter, hour] = [t0 + 900_000, t0 + 3_600_000]
    assert.ok(checkChallenge(given({ signBefore: hour }), asked, t0))
    const elsewhere = { ...asked, path: '/keys' }
    const of = (signBefore: number) => given({ signBefore, path: '/keys' })
    assert.ok(checkChallenge(of(quarter), elsewhere, t0))
    assert.throws(
      () => checkChallenge(of(quarter + 1), elsewhere, t0),
      new Misled('The challenge is not of now.'),
    )
  })
})
