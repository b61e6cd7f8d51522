import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { encodeRecord, recordKey, settingsTable } from '@quorate/authority/records'
import { defaultSettings } from '@quorate/authority/settings'
import { fromHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { client, logIn, startProvider } from '../oidc/testing/provider.ts'
import type { Served } from '../oidc/testing/served.ts'
import { foundCompany, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type RawClient } from '../testing/raw-client.ts'
import { keepIssuerSecret } from './federation.ts'

describe('single sign-on with an identity provider that others wrote', () => {
  let platform: TestPlatform
  let provider: Served
  let company: Company
  let organization: Uint8Array
  let browser: RawClient
  const { clientId, clientSecret, redirectUri } = client

  const settle = (uris: readonly string[]) => {
    const { url: issuer } = provider
    const issuers = [
      { use: 'sso' as const, issuer, clientIds: [clientId], redirectUris: [...uris] },
    ]
    const value = encodeRecord(settingsTable, { ...defaultSettings, issuers })
    platform.solo.write(organization, { key: recordKey(settingsTable), value })
  }
  const asked = (more: object = {}) => ({ orgId: company.orgId, clientId, redirectUri, ...more })
  const cameBack = async (name: string) => {
    const begun = await browser.send('POST', '/auth/login/sso/init', asked())
    assert.equal(begun.status, 200, JSON.stringify(begun.body))
    const { searchParams } = await logIn(begun.body.ssoRedirectUrl, name)
    return Object.fromEntries(
      ['code', 'state', 'iss'].map((one) => [one, searchParams.get(one) ?? undefined]),
    )
  }

  before(async () => {
    platform = await startTestPlatform()
    provider = await startProvider()
    company = await foundCompany(platform)
    organization = idOf(fromHex(company.genesis), 'organization')
    browser = rawClient(platform.baseUrl, { credId: '', privateKey: '' })
    settle([redirectUri])
    const secret = { organization, issuer: provider.url, clientId, secret: clientSecret }
    await keepIssuerSecret(platform.deps, secret)
    await rawClient(platform.baseUrl, company.administrator).call('/auth/users', {
      ...{ email: 'bob@example.com', kind: 'CustomerEmployee' },
    })
  })
  after(async () => {
    await platform.close()
    await provider.close()
    assert.deepEqual(platform.unexpected, [])
  })

  it('lets in who was invited, once for each answer', async () => {
    const answer = await cameBack('bob')
    const inside = await browser.send('POST', '/auth/login/sso', answer)
    assert.equal(inside.status, 200, JSON.stringify(inside.body))
    const { body } = inside
    const bob = rawClient(platform.baseUrl, { ...company.administrator, authToken: body.token })
    assert.equal((await bob.send('GET', '/auth/credentials')).status, 200)
    assert.equal((await browser.send('POST', '/auth/login/sso', answer)).status, 401)
  })

  it('takes no answer that does not name its issuer, where that one always does (RFC 9207)', async () => {
    const { iss, ...unnamed } = await cameBack('bob')
    assert.equal(iss, provider.url)
    assert.equal((await browser.send('POST', '/auth/login/sso', unnamed)).status, 401)
    for (const end of ['sso', 'oidc']) {
      const mixedUp = { ...(await cameBack('bob')), iss: 'https://idp.example.com' }
      assert.equal((await browser.send('POST', `/auth/login/${end}`, mixedUp)).status, 401, end)
    }
  })

  it('knows nobody who was not invited', async () => {
    const refused = await browser.send('POST', '/auth/login/sso', await cameBack('mallory'))
    assert.deepEqual([refused.status, refused.body.message], [401, 'User not found'])
  })

  it('goes where the settings say, then and still', async () => {
    for (const more of [{ redirectUri: 'https://evil.example.com/' }, { clientId: 'another' }])
      assert.equal((await browser.send('POST', '/auth/login/sso/init', asked(more))).status, 400)
    const answer = await cameBack('bob')
    settle(['https://elsewhere.example.com/'])
    assert.equal((await browser.send('POST', '/auth/login/sso', answer)).status, 401)
    settle([redirectUri])
    const state = { ...answer, state: 'forged' }
    assert.equal((await browser.send('POST', '/auth/login/sso', state)).status, 401)
  })

  it('has a newer name', async () => {
    const named = { orgId: company.orgId, redirectUri }
    const begun = await browser.send('POST', '/auth/login/oidc/init', named)
    const { searchParams } = await logIn(begun.body.redirectUrl, 'bob')
    const answer = Object.fromEntries(searchParams)
    assert.equal((await browser.send('POST', '/auth/login/oidc', answer)).status, 200)
  })

  it('keeps the secret of its client sealed', async () => {
    const rows = await platform.database.selectFrom('issuer_secrets').selectAll().execute()
    assert.equal(rows.length, 1)
    for (const { secret } of rows)
      assert.ok(!Buffer.from(secret).includes(Buffer.from(clientSecret)))
  })
})
