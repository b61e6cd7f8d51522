import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { organizationTable } from '@quorate/authority/records'
import { idOf } from '@quorate/core/id'
import { fromHex } from '@quorate/core/bytes'
import { foundCompany, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type RawClient } from '../testing/raw-client.ts'

const site = { id: 'example.com', origins: ['https://app.example.com'] }

describe('settings over the API', () => {
  let platform: TestPlatform
  let company: Company
  let admin: RawClient
  before(async () => {
    platform = await startTestPlatform()
    company = await foundCompany(platform)
    admin = rawClient(platform.baseUrl, company.administrator)
  })
  after(async () => {
    await platform.close()
    assert.deepEqual(platform.unexpected, [])
  })
  const put = async (client: RawClient, body: unknown) => {
    const signed = await client.sign(await client.init('PUT', '/orgs/settings', body))
    assert.equal(signed.status, 200, JSON.stringify(signed.body))
    return client.send('PUT', '/orgs/settings', body, signed.body.userAction)
  }

  it('begin closed, with the founder as the whole root quorum', async () => {
    const { status, body } = await admin.send('GET', '/orgs/settings')
    assert.equal(status, 200)
    assert.deepEqual(body, {
      settings: {
        ...{ relyingParties: [], userVerification: 'required', issuers: [], requireChecked: [] },
        breakGlass: { needed: 0, members: [], waitMs: 0 },
        enrolment: { employees: 'confirmed', endUsers: 'confirmed' },
        ...{ passwordProtectedKeys: false, passwords: false },
        recovery: { waitMs: 0, usesWhileWaiting: false },
        factSources: { prices: 'Server', screenings: 'Server' },
      },
      rootQuorum: { needed: 1, members: [company.administrator.userId] },
      proposals: [],
    })
  })

  it('change with a receipt of those who have sealed it', async () => {
    const { status, body } = await put(admin, { settings: { relyingParties: [site] } })
    assert.equal(status, 200)
    assert.equal(body.status, 'InForce')
    assert.deepEqual(body.settings.relyingParties, [site])
    assert.equal(body.acknowledgedBy.length, 4)
    assert.ok(Date.parse(body.effectiveAt) > Date.now() + 60_000)
    const { settings } = (await admin.send('GET', '/orgs/settings')).body
    assert.deepEqual(settings.relyingParties, [site])
  })

  it('say whose word prices and screenings are', async () => {
    const { body } = await put(admin, { settings: { factSources: { prices: 'Signer' } } })
    assert.deepEqual(body.settings.factSources, { prices: 'Signer', screenings: 'Server' })
    const { settings } = (await admin.send('GET', '/orgs/settings')).body
    assert.deepEqual(settings.factSources, { prices: 'Signer', screenings: 'Server' })
    const wrong = { settings: { factSources: { prices: 'signer' } } }
    assert.equal((await admin.init('PUT', '/orgs/settings', wrong)).status, 400)
  })

  it('are nothing for a service account with all permissions', async () => {
    const account = rawClient(platform.baseUrl, company.serviceAccount)
    assert.equal((await account.send('GET', '/orgs/settings')).status, 200)
    assert.equal((await account.init('PUT', '/orgs/settings', { settings: {} })).status, 403)
  })

  it('are refused by the rules, whatever the schema lets through', async () => {
    const { status, body } = await put(admin, { settings: {} })
    assert.equal(status, 403)
    assert.match(body.error.message, /nothing would change/)
    const wrong = { settings: { relyingParties: [{ ...site, origins: ['https://example.org'] }] } }
    assert.match((await put(admin, wrong)).body.error.message, /no origin of example.com/)
    assert.equal((await admin.init('PUT', '/orgs/settings', { colour: 'red' })).status, 400)
  })

  it('are answered with 202 and listed, while more members must sign', async () => {
    const organization = idOf(fromHex(company.genesis), 'organization')
    const user = idOf(fromHex(company.genesis), 'user')
    const rootQuorum = { needed: 2, members: [user, new Uint8Array(32).fill(5)] }
    platform.solo.alter(organization, organizationTable, [], { rootQuorum })
    const { status, body } = await put(admin, { settings: { passwords: true } })
    assert.equal(status, 202)
    assert.equal(body.status, 'Pending')
    assert.deepEqual(body.signedBy, [company.administrator.userId])
    const { settings, proposals } = (await admin.send('GET', '/orgs/settings')).body
    assert.equal(settings.passwords, false)
    assert.equal(proposals.length, 1)
    const { status: _, ...pending } = body
    assert.deepEqual(proposals[0], pending)
    platform.clock.ahead = 8 * 24 * 60 * 60_000
    const later = await foundSession()
    assert.deepEqual((await later.send('GET', '/orgs/settings')).body.proposals, [])
    platform.clock.ahead = 0
  })

  /** A session that is valid at the platform's present time. */
  async function foundSession(): Promise<RawClient> {
    const { username, credId, privateKey } = company.administrator
    const open = rawClient(platform.baseUrl, { credId, privateKey })
    const asked = await open.send('POST', '/auth/login/init', { username, orgId: company.orgId })
    const { challenge, challengeIdentifier } = asked.body
    const firstFactor = open.factor(challenge)
    const login = await open.send('POST', '/auth/login', { challengeIdentifier, firstFactor })
    return rawClient(platform.baseUrl, { authToken: login.body.token, credId, privateKey })
  }
})
