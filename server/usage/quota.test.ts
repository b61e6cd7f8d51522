import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { foundCompany, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient } from '../testing/raw-client.ts'
import { openQuota, recount } from './quota.ts'

const limit = 3
let platform: TestPlatform
let company: Company
let path = ''
before(async () => {
  platform = await startTestPlatform({ monthlySignatures: limit })
  company = await foundCompany(platform)
  const made = await client().call('/keys', JSON.stringify({ scheme: 'EdDSA', curve: 'ed25519' }))
  path = `/keys/${made.body.id}/signatures`
})
after(async () => {
  await platform.close()
  assert.deepEqual(platform.unexpected, [])
})
const client = () => rawClient(platform.baseUrl, company.administrator)
const bodyOf = (externalId?: string) =>
  JSON.stringify({ kind: 'Message', message: '0x00', ...(externalId && { externalId }) })
const usage = async () => (await client().send('GET', '/orgs/usage')).body

describe('the monthly limit of signatures', () => {
  it('is never passed, however many ask at once, and repetitions do not count', async () => {
    const first = await client().call(path, bodyOf('once'))
    assert.equal(first.status, 200)
    assert.equal((await client().call(path, bodyOf('once'))).body.id, first.body.id)
    assert.deepEqual((await usage()).signatures, { used: 1, limit })
    const actions = await Promise.all(Array.from({ length: 6 }, () => client().act(path, bodyOf())))
    const send = (action: string) => client().send('POST', path, bodyOf(), action)
    const answers = await Promise.all(actions.map(send))
    const statuses = answers.map(({ status }) => status).toSorted()
    assert.deepEqual(statuses, [200, 200, 402, 402, 402, 402])
    const refused = answers.find(({ status }) => status === 402)
    assert.equal(refused?.body.message, 'Monthly signatures limit reached')
    assert.deepEqual((await usage()).signatures, { used: limit, limit })
    assert.equal((await client().call(path, bodyOf('once'))).status, 200)
    assert.equal((await client().call(path, bodyOf('twice'))).status, 402)
  })

  it('begins anew with each calendar month, UTC', async () => {
    const { month, dateReset } = await usage()
    const now = new Date()
    assert.equal(month, now.toISOString().slice(0, 7))
    assert.equal(Date.parse(dateReset), Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1))
    const { database } = platform
    const { organization } = await database
      .selectFrom('signature_usage')
      .select('organization')
      .executeTakeFirstOrThrow()
    const claim = (at: number) =>
      database
        .transaction()
        .execute((transaction) => openQuota(limit).claim(transaction, organization, at))
    await assert.rejects(claim(Date.parse(dateReset) - 1), { code: 'quota.exceeded' })
    await claim(Date.parse(dateReset))
  })

  it('counts what was asked for while nobody counted', async () => {
    const { database } = platform
    await database.updateTable('signature_usage').set({ used: 0 }).execute()
    await recount(database, Date.now())
    assert.equal((await client().call(path, bodyOf())).status, 402)
  })
})
