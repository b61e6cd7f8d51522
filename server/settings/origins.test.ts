import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { sql } from 'kysely'
import { organizationTable } from '@quorate/authority/records'
import { fromHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { foundCompany, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type Speaker } from '../testing/raw-client.ts'

describe('the origins of organizations', () => {
  let platform: TestPlatform
  let first: Company
  let second: Company
  let baseUrl = ''
  before(async () => {
    platform = await startTestPlatform()
    first = await foundCompany(platform)
    second = await foundCompany(platform)
    baseUrl = platform.baseUrl
  })
  after(async () => {
    await platform.close()
    assert.deepEqual(platform.unexpected, [])
  })

  const settle = async (speaker: Speaker, origins: readonly string[]) => {
    const client = rawClient(baseUrl, speaker)
    const relyingParties = origins.length === 0 ? [] : [{ id: 'example.com', origins }]
    const body = { settings: { relyingParties } }
    const signed = await client.sign(await client.init('PUT', '/orgs/settings', body))
    return client.send('PUT', '/orgs/settings', body, signed.body.userAction)
  }
  /** What a browser is told about a page of this origin, before a request and with its answer. */
  const allowed = async (origin: string) => {
    const ask = (method: string) => fetch(`${baseUrl}/wallets`, { method, headers: { origin } })
    const answers = await Promise.all([ask('OPTIONS'), ask('GET')])
    return answers.map(({ headers }) => headers.get('access-control-allow-origin'))
  }
  const isAllowed = async (origin: string) =>
    assert.deepEqual(await allowed(origin), [origin, origin])
  const isNot = async (origin: string) => assert.deepEqual(await allowed(origin), [null, null])
  const app = 'https://app.example.com'
  const shop = 'https://shop.example.com'

  it('are allowed from the moment their settings are in force, each organization its own', async () => {
    await isNot(app)
    assert.equal((await settle(first.administrator, [app])).status, 200)
    await isAllowed(app)
    await isNot(shop)
    assert.equal((await settle(second.administrator, [shop, app])).status, 200)
    await isAllowed(shop)
  })

  it('are refused again when no organization names them any more', async () => {
    assert.equal((await settle(second.administrator, [])).status, 200)
    await isNot(shop)
    await isAllowed(app)
    assert.equal((await settle(first.administrator, [shop])).status, 200)
    await isNot(app)
    await isAllowed(shop)
  })

  it('are the same after a restart, as are those of the operator', async () => {
    baseUrl = await platform.restart()
    await isAllowed(shop)
    await isNot(app)
    await isAllowed('https://console.example')
    await isNot('https://console.example.com')
  })

  it('are nothing as long as not enough members want them', async () => {
    const organization = idOf(fromHex(first.genesis), 'organization')
    const user = idOf(fromHex(first.genesis), 'user')
    const rootQuorum = { needed: 2, members: [user, new Uint8Array(32).fill(5)] }
    platform.solo.alter(organization, organizationTable, [], { rootQuorum })
    assert.equal((await settle(first.administrator, [app])).status, 202)
    await isNot(app)
  })

  it('are found by an index among those of a thousand organizations', async () => {
    const { database } = platform
    await sql`insert into organization_origins
      select sha256(int4send(i)), 'https://wallet-' || i || '-' || j || '.example.org'
      from generate_series(1, 1000) as i, generate_series(1, 8) as j`.execute(database)
    await sql`analyze organization_origins`.execute(database)
    const plan = await database
      .selectFrom('organization_origins')
      .select('origin')
      .where('origin', '=', 'https://wallet-7-7.example.org')
      .limit(1)
      .explain('json', undefined)
    assert.match(JSON.stringify(plan), /organization_origins_by_origin/)
    await isAllowed('https://wallet-7-7.example.org')
  })
})
