import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { breakWaitMsMin } from '@quorate/authority/settings'
import { foundCompany, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient } from '../testing/raw-client.ts'

const policy = {
  ...{ name: 'held', activityKind: 'Policies:Create' },
  ...{ rule: { kind: 'AlwaysTrigger', configuration: {} } },
  action: { kind: 'RequestApproval', approvalGroups: [{ quorum: 1, approvers: {} }] },
}

describe('the end of a policy without its approvers, over the API', () => {
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
  async function call(method: string, path: string, body: unknown) {
    const client = rawClient(platform.baseUrl, company.administrator)
    const signed = await client.sign(await client.init(method, path, body))
    assert.equal(signed.status, 200, JSON.stringify(signed.body))
    return client.send(method, path, body, signed.body.userAction)
  }

  it('is nobody’s until a quorum is declared, says when it comes, and can be stopped', async () => {
    const made = await call('POST', '/v2/policies', policy)
    assert.equal(made.status, 200, JSON.stringify(made.body))
    const path = `/v2/policies/${made.body.id}/break`
    assert.equal((await call('POST', path, {})).status, 403)
    const members = [company.administrator.userId]
    const breakGlass = { needed: 1, members, waitMs: breakWaitMsMin }
    const set = await call('PUT', '/orgs/settings', { settings: { breakGlass } })
    assert.deepEqual(set.body.settings.breakGlass, breakGlass)
    const ending = await call('POST', path, {})
    assert.equal(ending.body.status, 'Waiting')
    assert.ok(Date.parse(ending.body.endsAt) > Date.now() + breakWaitMsMin / 2)
    assert.equal((await call('POST', '/v2/policies', policy)).status, 202)
    const stopped = await call('DELETE', path, {})
    assert.equal(stopped.body.status, 'Cancelled')
    assert.equal(stopped.body.acknowledgedBy.length, 4)
  })

  it('of what this organization does not have is not found', async () => {
    const other = await foundCompany(platform)
    const client = rawClient(platform.baseUrl, other.administrator)
    const { body } = await client.send('GET', '/v2/policies')
    assert.deepEqual(body.items, [])
    const theirs = rawClient(platform.baseUrl, company.administrator)
    const { items } = (await theirs.send('GET', '/v2/policies')).body
    const path = `/v2/policies/${items[0].id}/break`
    assert.equal((await client.init('POST', path, {})).status, 404)
  })
})
