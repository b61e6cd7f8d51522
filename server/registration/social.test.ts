import assert from 'node:assert/strict'
import { after, before, describe, it, test } from 'node:test'
import { SignJWT } from 'jose'
import { encodeRecord, recordKey, settingsTable } from '@quorate/authority/records'
import { defaultSettings, type Issuer } from '@quorate/authority/settings'
import { newKeyCredential } from '@quorate/authority/testing/key-credential'
import { makeKey, startForger, type Forger } from '../oidc/testing/forger.ts'
import { foundCompany, newKey, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type RawClient } from '../testing/raw-client.ts'
import { nameOfIdentity } from './social.ts'

const key = await makeKey('good')
const stranger = await makeKey('stranger')
const path = '/auth/registration/social'

let platform: TestPlatform
let company: Company
let forger: Forger
let nobody: RawClient
before(async () => {
  platform = await startTestPlatform()
  forger = await startForger([key.jwk])
  company = await foundCompany(platform)
  nobody = rawClient(platform.baseUrl, { credId: '', privateKey: newKey() })
  await trust([{ use: 'social', issuer: forger.url, clientIds: ['app'], redirectUris: [] }])
})
after(async () => {
  await forger.close()
  await platform.close()
  assert.deepEqual(platform.unexpected, [])
})

/** As a root quorum would lay it down. */
async function trust(issuers: readonly Issuer[]): Promise<void> {
  const { id } = await platform.database
    .selectFrom('organizations')
    .select('id')
    .executeTakeFirstOrThrow()
  const value = encodeRecord(settingsTable, { ...defaultSettings, issuers })
  platform.solo.write(id, { key: recordKey(settingsTable), value })
}
function tokenFor(claims: Readonly<Record<string, unknown>>, by = key): Promise<string> {
  return new SignJWT({ sub: 'alice', aud: 'app', iss: forger.url, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'good' })
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(by.privateKey)
}
const verified = (email: string) => ({ email, email_verified: true })
function enrol(idToken: string, orgId = company.orgId) {
  return nobody.send('POST', path, { orgId, socialLoginProviderKind: 'Oidc', idToken })
}
async function finish({
  challenge,
  temporaryAuthenticationToken: authToken,
}: {
  challenge: string
  temporaryAuthenticationToken: string
}) {
  const client = rawClient(platform.baseUrl, { authToken, credId: '', privateKey: newKey() })
  const firstFactorCredential = newKeyCredential().create(challenge)
  return client.send('POST', '/auth/registration', { firstFactorCredential })
}

describe('a social registration', () => {
  it('makes an end user of whom a provider vouches for, and what he brings is unconfirmed', async () => {
    const token = await tokenFor(verified('Alice@Customers.test'))
    const [begun, again] = [await enrol(token), await enrol(token)]
    assert.equal(begun.status, 200, JSON.stringify(begun.body))
    assert.equal(begun.body.user.name, 'alice@customers.test')
    assert.equal(again.body.user.id, begun.body.user.id)
    assert.equal((await finish(again.body)).status, 200)
    assert.equal((await enrol(token)).status, 401)
    const admin = rawClient(platform.baseUrl, company.administrator)
    const user = (await admin.send('GET', `/auth/users/${begun.body.user.id}`)).body
    assert.deepEqual([user.kind, user.isRegistered], ['EndUser', true])
    const listed = await admin.send('GET', `/auth/users/${begun.body.user.id}/credentials`)
    assert.equal(listed.body.items[0].rank, 'unconfirmed')
  })

  it('is followed by logins by the same word, and by no other', async () => {
    const logIn = (idToken: string, orgId = company.orgId) =>
      nobody.send('POST', '/auth/login/social', {
        ...{ orgId, socialLoginProviderKind: 'Oidc', idToken },
      })
    const inside = await logIn(await tokenFor(verified('alice@customers.test')))
    assert.equal(inside.status, 200, JSON.stringify(inside.body))
    const alice = rawClient(platform.baseUrl, {
      ...{ authToken: inside.body.token, credId: '', privateKey: newKey() },
    })
    assert.equal((await alice.send('GET', '/auth/credentials')).status, 200)
    const stranger = await logIn(await tokenFor(verified('nobody@customers.test')))
    assert.deepEqual([stranger.status, stranger.body.message], [401, 'User not found'])
    const claimed = await tokenFor({ email: 'alice@customers.test', email_verified: false })
    assert.equal((await logIn(claimed)).status, 401)
    const staff = await tokenFor(verified(company.administrator.username))
    assert.equal((await logIn(staff)).status, 401, 'an employee is no customer')
    const { orgId } = company
    const exchanged = await alice.send('POST', '/auth/tokens', { target: orgId })
    assert.equal(exchanged.status, 200, JSON.stringify(exchanged.body))
    assert.equal((await alice.send('POST', '/auth/tokens', { target: 'or-x' })).status, 400)
  })

  it('leaves no word of the token in any row', async () => {
    const token = await tokenFor(verified('bob@customers.test'))
    assert.equal((await enrol(token)).status, 200)
    const steps = await platform.database.selectFrom('steps').select('body').execute()
    const [, claims = ''] = token.split('.')
    assert.ok(steps.every(({ body }) => !Buffer.from(body).includes(claims)))
  })

  it('takes an address for nobody’s name unless the provider vouches for it', async () => {
    const token = await tokenFor({ email: company.administrator.username, email_verified: false })
    const { body } = await enrol(token)
    assert.match(body.user.name, /^oidc-[0-9a-f]{40}$/)
  })

  it('is refused in one way for whatever is wrong with the word', async () => {
    const good = verified('eve@customers.test')
    const tokens = [
      await tokenFor(good, stranger),
      await tokenFor({ ...good, aud: 'another' }),
      await tokenFor({ ...good, iss: 'https://evil.test' }),
      'no.token.atall',
    ]
    for (const token of tokens) {
      const { status, body } = await enrol(token)
      assert.deepEqual([status, body.message], [401, 'Not Authorized.'])
    }
    const elsewhere = await enrol(await tokenFor(good), 'or-aaaaa-aaaaa-aaaaaaaaaaaaaaaa')
    assert.deepEqual([elsewhere.status, elsewhere.body.message], [401, 'Not Authorized.'])
  })

  it('is refused where the provider is trusted for another use, or not any more', async () => {
    const token = await tokenFor(verified('eve@customers.test'))
    const issuer = { issuer: forger.url, clientIds: ['app'], redirectUris: [] }
    await trust([{ use: 'sso', ...issuer }])
    assert.equal((await enrol(token)).status, 401)
    await trust([])
    assert.equal((await enrol(token)).status, 401)
    await trust([{ use: 'social', ...issuer }])
    assert.equal((await enrol(token)).status, 200)
  })
})

test('a subject without an address has a name that no other subject has', () => {
  const named = (subject: string, issuer = 'https://a.test') =>
    nameOfIdentity({ issuer, subject, emailVerified: false, claims: {} })
  const names = [named('x'), named('X'), named('x', 'https://b.test'), named('x@a.test')]
  assert.equal(new Set(names).size, names.length)
})
