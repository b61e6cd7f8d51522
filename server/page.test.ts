import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { sql } from 'kysely'
import { toHex } from '@quorate/core/bytes'
import { countThatFits, pageBytesMax } from './page.ts'
import { foundCompany, type Company } from './testing/company.ts'
import { startTestPlatform, type TestPlatform } from './testing/platform.ts'
import { rawClient, type RawClient } from './testing/raw-client.ts'

it('a page holds rows until they weigh too much, and any row by itself', () => {
  const weights = (...bytes: readonly number[]) => bytes.map((each) => ({ bytes: each }))
  const half = pageBytesMax / 2
  assert.equal(countThatFits([], 7), 7)
  assert.equal(countThatFits(weights(1, 1, 1), 2), 2)
  assert.equal(countThatFits(weights(half, half), 50), 50)
  assert.equal(countThatFits(weights(half, half, 1, 1), 50), 3)
  assert.equal(countThatFits(weights(2 * pageBytesMax, 1), 50), 1)
})

describe('a list of what users have sent', () => {
  const characters = 200_000
  /** More than two pages of them. */
  const copies = 50
  let platform: TestPlatform
  let company: Company
  let client: RawClient
  let admin: RawClient
  let walletId: string
  before(async () => {
    platform = await startTestPlatform()
    company = await foundCompany(platform)
    const { administrator, serviceAccount } = company
    client = rawClient(platform.baseUrl, serviceAccount)
    admin = rawClient(platform.baseUrl, administrator)
    walletId = (await client.call('/wallets', { network: 'KeyEdDSA' })).body.id
    const signed = await client.call(`/wallets/${walletId}/signatures`, large)
    assert.equal(signed.status, 200, JSON.stringify(signed.body))
  })
  after(async () => {
    await platform.close()
    assert.deepEqual(platform.unexpected, [])
  })

  const large = { kind: 'Message', message: `0x${'ab'.repeat(characters / 2)}` }
  const id = () => new Uint8Array(randomBytes(32))
  const name = () => toHex(id())
  const times = <T>(make: (index: number) => T) => Array.from({ length: copies }, (_, i) => make(i))

  /** Every item once, with pages that weigh no more than they may and end sooner than they were asked to. */
  async function turn(path: string, limit = 500): Promise<void> {
    const ids: string[] = []
    let token = ''
    let pages = 0
    do {
      const { status, body } = await client.send('GET', `${path}?limit=${limit}${token}`)
      assert.equal(status, 200, JSON.stringify(body).slice(0, 500))
      const weight = JSON.stringify(body).length
      assert.ok(weight < 2.5 * (pageBytesMax + characters), `${weight} characters on a page`)
      ids.push(...body.items.map((item: { readonly id: string }) => item.id))
      token = body.nextPageToken === undefined ? '' : `&paginationToken=${body.nextPageToken}`
      assert.ok(++pages <= copies)
    } while (token !== '')
    assert.deepEqual([new Set(ids).size, ids.length], [copies + 1, copies + 1])
    assert.ok(pages > 2, `${pages} pages`)
  }

  it('ends a page of signatures early', async () => {
    const { database } = platform
    const row = await database
      .selectFrom('signature_requests')
      .selectAll()
      .executeTakeFirstOrThrow()
    const rows = times((i) => ({ ...row, ...{ id: id(), signature_id: name() }, requested_at: i }))
    await database.insertInto('signature_requests').values(rows).execute()
    await turn(`/wallets/${walletId}/signatures`)
    await turn(
      `/keys/${(await client.send('GET', `/wallets/${walletId}`)).body.signingKey.id}/signatures`,
    )
  })

  it('ends a page of events early', async () => {
    const { database } = platform
    const body = { url: 'http://127.0.0.1:9', events: ['policy.triggered'] }
    const { id: webhookId } = (await admin.call('/webhooks', body)).body
    const webhook = await database.selectFrom('webhooks').selectAll().executeTakeFirstOrThrow()
    const { organization } = webhook
    const told = await database
      .selectFrom('outbox')
      .selectAll()
      .where('kind', '=', 'wallet.signature.signed')
      .executeTakeFirstOrThrow()
    const rows = [...times((i) => i), copies].map((sent_at) => ({
      ...{ organization, id: id(), delivery_id: name(), webhook: webhook.id, event: told.id },
      ...{ kind: told.kind, subject: null, attempt: 1, first: null, raised_at: 0, due_at: null },
      ...{ ready: false, lease_holder: null, sent_at, status: '200', error: null },
      next_attempt_at: null,
    }))
    await database.insertInto('deliveries').values(rows).execute()
    await turn(`/webhooks/${webhookId}/events`, 200)
  })

  it('ends a page of approvals early, which show what they hold', async () => {
    const { database } = platform
    const approvers = { userId: { in: [company.administrator.userId] } }
    const policy = {
      ...{ name: 'all', activityKind: 'Wallets:Sign', rule: { kind: 'AlwaysTrigger' } },
      action: { kind: 'RequestApproval', approvalGroups: [{ quorum: 1, approvers }] },
      filters: { walletId: { in: [walletId] } },
    }
    const made = await admin.call('/v2/policies', policy)
    assert.equal(made.status, 200, JSON.stringify(made.body))
    const held = await client.call(`/wallets/${walletId}/signatures`, large)
    assert.equal(held.body.status, 'Pending', JSON.stringify(held.body).slice(0, 500))
    await platform.workApprovals()
    const row = await database.selectFrom('approvals').selectAll().executeTakeFirstOrThrow()
    const rows = times((i) => ({
      ...row,
      ...{ id: id(), approval_id: name(), request: id(), created_at: i },
    }))
    await database.insertInto('approvals').values(rows).execute()
    await turn('/v2/policy-approvals')
  })

  it('ends a page of the log early, which has no limit of its own', async () => {
    const { database } = platform
    const step = await database
      .selectFrom('steps')
      .selectAll()
      .where(sql<boolean>`octet_length(body) > ${characters}`)
      .executeTakeFirstOrThrow()
    await database
      .insertInto('steps')
      .values(times((seq) => ({ ...step, seq: 1_000 + seq })))
      .execute()
    let [steps, token] = [0, '']
    do {
      const { body } = await admin.send('GET', `/orgs/log?streams=others${token}`)
      assert.ok(JSON.stringify(body).length < 2.5 * (pageBytesMax + characters))
      steps += body.items.length
      token = body.nextPageToken === undefined ? '' : `&paginationToken=${body.nextPageToken}`
    } while (token !== '')
    assert.ok(steps > copies, `${steps} steps`)
  })
})
