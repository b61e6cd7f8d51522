import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { DfnsApiClient } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import { decodeEvidence } from '@quorate/authority/step'
import { openTokens } from '../auth/tokens.ts'
import { foundCompany } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type RawClient } from '../testing/raw-client.ts'
import { webhooksMax } from './change.ts'
import { sealSecret } from './secret.ts'
import { answering, startReceiver, type Receiver } from './testing/receiver.ts'

let platform: TestPlatform
let receiver: Receiver
before(async () => {
  platform = await startTestPlatform()
  receiver = await startReceiver()
})
after(async () => {
  await receiver.close()
  await platform.close()
  assert.deepEqual(platform.unexpected, [])
})

async function newCompany(): Promise<{
  readonly sdk: DfnsApiClient
  readonly robot: RawClient
}> {
  const company = await foundCompany(platform)
  const { authToken, credId, privateKey } = company.serviceAccount
  const signer = new AsymmetricKeySigner({ credId, privateKey })
  const { orgId } = company
  return {
    sdk: new DfnsApiClient({ baseUrl: platform.baseUrl, orgId, authToken, signer }),
    robot: rawClient(platform.baseUrl, company.serviceAccount),
  }
}

async function signed(robot: RawClient, method: string, path: string, body: object) {
  const action = await robot.sign(await robot.init(method, path, body))
  return robot.send(method, path, body, action.body.userAction)
}

describe('a webhook, through the official client', () => {
  it('is made, shown without its secret, listed, changed and deleted', async () => {
    const { sdk } = await newCompany()
    const body = { url: receiver.url, events: ['wallet.created', '*'] as const, description: 'a' }
    const made = await sdk.webhooks.createWebhook({ body: { ...body, events: [...body.events] } })
    assert.match(made.id, /^wh-[a-z2-7]{5}-[a-z2-7]{5}-[a-z2-7]{16}$/)
    const { secret, ...shown } = made
    assert.match(secret, /^whs-[A-Za-z0-9]{32}$/)
    assert.deepEqual([shown.url, shown.events, shown.status], [body.url, body.events, 'Enabled'])
    const webhookId = made.id
    assert.deepEqual(await sdk.webhooks.getWebhook({ webhookId }), shown)
    assert.deepEqual(await sdk.webhooks.listWebhooks(), { items: [shown] })
    const changed = await sdk.webhooks.updateWebhook({ webhookId, body: { status: 'Disabled' } })
    assert.deepEqual(changed, { ...shown, status: 'Disabled', dateUpdated: changed.dateUpdated })
    assert.ok(changed.dateUpdated >= shown.dateUpdated)
    assert.deepEqual(await sdk.webhooks.deleteWebhook({ webhookId }), { deleted: true })
    await assert.rejects(sdk.webhooks.getWebhook({ webhookId }), /webhook not found/)
    assert.deepEqual(await sdk.webhooks.listWebhooks(), { items: [] })
  })

  it('is kept with its secret sealed, and with every request that made it what it is', async () => {
    const { sdk } = await newCompany()
    const { id: webhookId, secret } = await sdk.webhooks.createWebhook({
      body: { url: receiver.url, events: ['*'] },
    })
    await sdk.webhooks.updateWebhook({ webhookId, body: { description: 'b' } })
    await sdk.webhooks.deleteWebhook({ webhookId })
    const rows = await platform.database
      .selectFrom('webhook_changes')
      .selectAll()
      .orderBy('changed_at')
      .execute()
    const payloads = rows.map(({ evidence }) => decodeEvidence(evidence))
    const ours = payloads.slice(-3).map(({ payload }) => payload)
    assert.deepEqual(ours, [
      JSON.stringify({ url: receiver.url, events: ['*'] }),
      '{"description":"b"}',
      '{}',
    ])
    const { sdk: other } = await newCompany()
    const again = await other.webhooks.createWebhook({ body: { url: receiver.url, events: ['*'] } })
    const { secret: sealed } = await platform.database
      .selectFrom('webhooks')
      .select('secret')
      .where('webhook_id', '=', again.id)
      .executeTakeFirstOrThrow()
    assert.ok(!Buffer.from(sealed).includes(Buffer.from(again.secret)))
    assert.notEqual(again.secret, secret)
  })

  it('is of its organization alone', async () => {
    const { sdk } = await newCompany()
    const { id } = await sdk.webhooks.createWebhook({ body: { url: receiver.url, events: ['*'] } })
    const { robot } = await newCompany()
    const path = `/webhooks/${id}`
    for (const [method, to, body] of [
      ['PUT', path, { status: 'Disabled' }],
      ['DELETE', path, {}],
      ['POST', `${path}/ping`, {}],
    ] as const)
      assert.equal((await signed(robot, method, to, body)).status, 404, method)
    for (const to of [path, `${path}/events`, `${path}/events/whe-a`])
      assert.equal((await robot.send('GET', to)).status, 404, to)
    assert.deepEqual((await robot.send('GET', '/webhooks')).body, { items: [] })
    assert.equal((await sdk.webhooks.getWebhook({ webhookId: id })).status, 'Enabled')
  })

  it('is changed by nobody who has not signed for it', async () => {
    const { sdk, robot } = await newCompany()
    const { id } = await sdk.webhooks.createWebhook({ body: { url: receiver.url, events: ['*'] } })
    const body = { url: receiver.url, events: ['*'] }
    for (const [method, path, asked] of [
      ['POST', '/webhooks', body],
      ['PUT', `/webhooks/${id}`, { status: 'Disabled' }],
      ['DELETE', `/webhooks/${id}`, {}],
      ['POST', `/webhooks/${id}/ping`, {}],
    ] as const) {
      const { status, body: answer } = await robot.send(method, path, asked)
      assert.equal(status, 403, path)
      assert.equal(answer.message, 'user action signature is missing or invalid')
    }
    const other = await robot.sign(await robot.init('PUT', `/webhooks/${id}`, { description: 'x' }))
    const given = other.body.userAction
    const stolen = await robot.send('PUT', `/webhooks/${id}`, { url: 'https://evil.test/' }, given)
    assert.equal(stolen.status, 403)
  })
})

describe('a webhook is refused', () => {
  let robot: RawClient
  before(async () => {
    robot = (await newCompany()).robot
  })
  const create = async (body: object) => {
    const init = await robot.init('POST', '/webhooks', body)
    return init.status === 200 ? robot.call('/webhooks', body) : init
  }
  const good = { url: 'https://receiver.example/events', events: ['*'] }

  it('with events that nobody knows, none, or too many', async () => {
    for (const events of [['wallet.eaten'], [], 'x', [1], Array.from({ length: 100 }, () => '*')])
      assert.equal((await create({ ...good, events })).status, 400, JSON.stringify(events))
  })

  it('with members that are too long or nobody knows', async () => {
    for (const more of [
      { url: `https://receiver.example/${'a'.repeat(2_048)}` },
      { url: '' },
      { description: 'a'.repeat(257) },
      { status: 'Paused' },
      { secret: 'mine' },
    ])
      assert.equal((await create({ ...good, ...more })).status, 400, JSON.stringify(more))
  })

  it('at an address that no event is sent to', async () => {
    for (const url of [
      ...['receiver.example', 'ftp://receiver.example/', 'https://user:word@receiver.example/'],
      ...[
        'https://10.0.0.1/',
        'http://169.254.169.254/latest',
        'https://[::1]/',
        'http://8.8.8.8/',
      ],
      ...['https://[::ffff:10.0.0.1]/', 'https://0x0a.1/', 'https://100.64.0.1/'],
    ]) {
      const { status, body } = await create({ ...good, url })
      assert.equal(status, 400, url)
      assert.match(JSON.stringify(body), /body\.url/, url)
    }
    assert.deepEqual((await robot.send('GET', '/webhooks')).body.items, [])
  })

  it('when there are as many as there may be, also of those that come at once', async () => {
    const actions = []
    for (let i = 0; i < webhooksMax + 2; i++) actions.push(await robot.act('/webhooks', good))
    const answers = await Promise.all(
      actions.map((action) => robot.send('POST', '/webhooks', good, action)),
    )
    const statuses = answers.map(({ status }) => status).toSorted()
    assert.deepEqual(statuses, [...Array.from({ length: webhooksMax }, () => 200), 400, 400])
    const [first] = answers.filter(({ status }) => status === 200)
    await signed(robot, 'DELETE', `/webhooks/${first?.body.id}`, {})
    assert.equal((await create(good)).status, 200)
  })
})

describe('a ping', () => {
  it('is an event of nothing, signed, and says how it was received', async () => {
    const { sdk } = await newCompany()
    const { id: webhookId, secret } = await sdk.webhooks.createWebhook({
      body: { url: receiver.url, events: ['*'] },
    })
    assert.deepEqual(await sdk.webhooks.pingWebhook({ webhookId }), { status: '200' })
    const { body = '', headers } = receiver.heard.at(-1) ?? {}
    const expected = createHmac('sha256', secret).update(body).digest('hex')
    assert.equal(headers?.['x-dfns-webhook-signature'], `sha256=${expected}`)
    assert.equal(headers?.['content-type'], 'application/json')
    const told = JSON.parse(body)
    assert.equal(JSON.stringify(told), body)
    assert.ok(Math.abs(told.timestampSent - Date.now() / 1000) < 60)
    assert.deepEqual([told.kind, told.deliveryAttempt], ['ping', 1])
    assert.deepEqual(await sdk.webhooks.listWebhookEvents({ webhookId }), { items: [] })
  })

  it('says what came instead: another status, a way to elsewhere, or nothing', async () => {
    const { sdk } = await newCompany()
    const { id: webhookId } = await sdk.webhooks.createWebhook({
      body: { url: receiver.url, events: ['*'] },
    })
    receiver.answer = answering(204)
    assert.equal((await sdk.webhooks.pingWebhook({ webhookId })).status, '204')
    const heard = receiver.heard.length
    receiver.answer = answering(302, { location: receiver.url })
    assert.equal((await sdk.webhooks.pingWebhook({ webhookId })).status, '302')
    assert.equal(receiver.heard.length, heard + 1)
    receiver.answer = (_, response) => response.destroy()
    const broken = await sdk.webhooks.pingWebhook({ webhookId })
    assert.equal(broken.status, 'no-connection')
    assert.ok(broken.error)
    receiver.answer = answering(200)
  })

  it('says that the secret cannot be read any more, under another key of the server', async () => {
    const { sdk } = await newCompany()
    const { id: webhookId, secret } = await sdk.webhooks.createWebhook({
      body: { url: receiver.url, events: ['*'] },
    })
    const { privateKey } = generateKeyPairSync('ed25519')
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
    const before = await openTokens(pem.toString())
    const webhooks = platform.database.updateTable('webhooks')
    const { id, organization } = await platform.database
      .selectFrom('webhooks')
      .selectAll()
      .where('webhook_id', '=', webhookId)
      .executeTakeFirstOrThrow()
    await webhooks
      .set({ secret: sealSecret(before, { id, organization }, secret) })
      .where('id', '=', id)
      .execute()
    const heard = receiver.heard.length
    const { status, error } = await sdk.webhooks.pingWebhook({ webhookId })
    assert.equal(status, 'no-secret')
    assert.ok(error)
    assert.equal(receiver.heard.length, heard)
  })
})
