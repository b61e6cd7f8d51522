import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { foundCompany, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type RawClient } from '../testing/raw-client.ts'

describe('a freeze over the API', () => {
  let platform: TestPlatform
  let company: Company
  before(async () => {
    platform = await startTestPlatform()
    company = await foundCompany(platform)
  })
  after(async () => {
    const { differences } = await platform.rebuild()
    await platform.close()
    assert.deepEqual(differences, [])
    assert.deepEqual(platform.unexpected, [])
  })
  const call = async (client: RawClient, method: string, path: string, body: unknown) => {
    const signed = await client.sign(await client.init(method, path, body))
    assert.equal(signed.status, 200, JSON.stringify(signed.body))
    return client.send(method, path, body, signed.body.userAction)
  }

  it('stops a service account at once, with a receipt, until it is lifted', async () => {
    const admin = rawClient(platform.baseUrl, company.administrator)
    const account = rawClient(platform.baseUrl, company.serviceAccount)
    const { userId } = company.serviceAccount
    const made = await call(admin, 'POST', '/orgs/freezes', { userId })
    assert.equal(made.status, 200)
    assert.equal(made.body.kind, 'User')
    assert.equal(made.body.acknowledgedBy.length, 4)
    const key = { scheme: 'EdDSA', curve: 'ed25519' }
    const refused = await call(account, 'POST', '/keys', key)
    assert.equal(refused.status, 403)
    assert.match(refused.body.error.message, /frozen/)
    const path = `/orgs/freezes/${made.body.id}`
    assert.equal((await account.init('DELETE', path, {})).status, 403)
    const lifted = await call(admin, 'DELETE', path, {})
    assert.equal(lifted.body.status, 'Ended')
    assert.equal((await call(account, 'POST', '/keys', key)).status, 200)
  })

  it('of what this organization does not have is not found', async () => {
    const admin = rawClient(platform.baseUrl, company.administrator)
    const other = await foundCompany(platform)
    const { userId } = other.serviceAccount
    assert.equal((await admin.init('POST', '/orgs/freezes', { userId })).status, 404)
    const both = { userId, keyId: 'key-1' }
    assert.equal((await admin.init('POST', '/orgs/freezes', both)).status, 400)
  })
})
