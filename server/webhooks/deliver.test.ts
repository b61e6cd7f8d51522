import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { after, afterEach, before, describe, it } from 'node:test'
import { DfnsApiClient } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import type { EventKind } from '@quorate/api/event-kinds'
import { openTokens } from '../auth/tokens.ts'
import { recordEvent } from '../outbox.ts'
import { inTransaction } from '../database/database.ts'
import { foundCompany } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { deliver, type DeliverDeps } from './deliver.ts'
import { dispatchEvents } from './dispatch.ts'
import { forgetDeliveries, keptMs } from './forget.ts'
import { leaseMs } from './lease.ts'
import { openReceivers } from './receivers.ts'
import { answering, startReceiver, type Heard, type Receiver } from './testing/receiver.ts'
import { takeReady, tellAll } from './testing/tell.ts'
import { startWebhookWorker } from './worker.ts'

const [minuteMs, hourMs] = [60_000, 3_600_000]

let platform: TestPlatform
let receiver: Receiver
let sdk: DfnsApiClient
let organization: Uint8Array
let deps: DeliverDeps
before(async () => {
  platform = await startTestPlatform()
  receiver = await startReceiver()
  const company = await foundCompany(platform)
  const { authToken, credId, privateKey } = company.serviceAccount
  const signer = new AsymmetricKeySigner({ credId, privateKey })
  sdk = new DfnsApiClient({
    ...{ baseUrl: platform.baseUrl, orgId: company.orgId, authToken, signer },
  })
  const row = await platform.database.selectFrom('organizations').select('id').executeTakeFirst()
  organization = row?.id ?? assert.fail('there is an organization')
  deps = platform.deps
  await tellAll(deps)
})
afterEach(async () => {
  platform.clock.ahead = 0
  receiver.answer = answering(200)
  for (const { id } of (await sdk.webhooks.listWebhooks()).items)
    await sdk.webhooks.deleteWebhook({ webhookId: id })
  platform.clock.ahead = 40 * 24 * hourMs
  await tellAll(deps)
  platform.clock.ahead = 0
  for (const table of ['deliveries', 'outbox'] as const)
    await platform.database.deleteFrom(table).execute()
})
after(async () => {
  await receiver.close()
  await platform.close()
  assert.deepEqual(platform.unexpected, [])
})

const webhook = (events: readonly string[] = ['*'], url = receiver.url) =>
  sdk.webhooks.createWebhook({ body: { url, events: events as ['*'] } })
const happen = (kind: EventKind, data: object) =>
  inTransaction(platform.database, (transaction) =>
    recordEvent(transaction, { organization, kind, data, at: deps.now() }),
  )
/** What has been heard since. */
function listen(): () => { [name: string]: unknown }[] {
  const from = receiver.heard.length
  return () => receiver.heard.slice(from).map(({ body }) => JSON.parse(body))
}
const log = {
  ...{ info: () => undefined, warn: () => undefined },
  error: (context: object) => void platform.unexpected.push(context),
}
const later = (ms: number) => (platform.clock.ahead += ms)
const events = async (webhookId: string, query = {}) =>
  (await sdk.webhooks.listWebhookEvents({ webhookId, query })).items

describe('an event', () => {
  it('reaches whoever wants to hear of it, signed, once, and is in the log', async () => {
    const all = await webhook()
    const keys = await webhook(['key.created'])
    await webhook(['key.deleted'])
    const off = await webhook()
    await sdk.webhooks.updateWebhook({ webhookId: off.id, body: { status: 'Disabled' } })
    const heard = listen()
    const { body, headers } = await of(async () => {
      const key = await sdk.keys.createKey({ body: { scheme: 'EdDSA', curve: 'ed25519' } })
      await tellAll(deps)
      return key
    })
    assert.equal(heard().length, 2)
    await tellAll(deps)
    assert.equal(heard().length, 2)
    const told = JSON.parse(body)
    const key = await sdk.keys.getKey({ keyId: told.data.key.id })
    assert.deepEqual(told.data, { key })
    assert.deepEqual(Object.keys(told).toSorted(), [
      ...['data', 'date', 'deliveryAttempt', 'id', 'kind', 'timestampSent'],
    ])
    const signatures = [all, keys].map(({ secret }) =>
      createHmac('sha256', secret)
        .update(JSON.stringify(JSON.parse(body)))
        .digest('hex'),
    )
    assert.ok(
      signatures.some((hex) => headers['x-dfns-webhook-signature'] === `sha256=${hex}`),
      'signed by the secret of one of the two',
    )
    const [sent, ...others] = await events(all.id)
    assert.deepEqual(others, [])
    assert.match(sent?.id ?? '', /^whe-[a-z2-7]{5}-[a-z2-7]{5}-[a-z2-7]{16}$/)
    assert.deepEqual([sent?.status, sent?.kind, sent?.data], ['200', 'key.created', { key }])
    const { id: webhookEventId = '' } = sent ?? {}
    assert.deepEqual(
      await sdk.webhooks.getWebhookEvent({ webhookId: all.id, webhookEventId }),
      sent,
    )
    await assert.rejects(
      sdk.webhooks.getWebhookEvent({ webhookId: keys.id, webhookEventId }),
      /webhook event not found/,
    )
  })

  it('that nobody wants to hear of is forgotten', async () => {
    await webhook(['wallet.created'])
    await happen('key.created', { key: { id: 'key-1' } })
    await tellAll(deps)
    const kept = await platform.database
      .selectFrom('outbox')
      .select('kind')
      .where('kind', '=', 'key.created')
      .where('data', 'like', '%key-1%')
      .execute()
    assert.deepEqual(kept, [])
  })

  it('is received by an answer of exactly 200, and nothing else', async () => {
    const { id } = await webhook()
    for (const status of [201, 202, 204, 301, 302, 400, 404, 410, 500, 503]) {
      receiver.answer = answering(status, { location: receiver.url })
      const heard = listen()
      await happen('key.created', { key: { id: `key-${status}` } })
      await tellAll(deps)
      assert.equal(heard().length, 1, String(status))
      const [latest] = await events(id, { limit: '1' })
      assert.equal(latest?.status, String(status))
      assert.ok(latest?.error)
    }
  })

  it('is received by a 200 whose text does not end', async () => {
    const { id } = await webhook()
    receiver.answer = (_, response) => void response.writeHead(200).write('still working')
    await happen('key.created', { key: { id: 'key-1' } })
    await tellAll(deps)
    assert.deepEqual(
      (await events(id)).map(({ status }) => status),
      ['200'],
    )
  })

  it('that was not received comes again as a new event, after 1 and 12 minutes, 2 hours and a day', async () => {
    const { id } = await webhook()
    receiver.answer = answering(500)
    const heard = listen()
    await happen('key.created', { key: { id: 'key-1' } })
    await tellAll(deps)
    const waits = [minuteMs, 11 * minuteMs, 108 * minuteMs, 22 * hourMs]
    for (const [i, wait] of waits.entries()) {
      const [latest] = await events(id)
      assert.ok(latest)
      const { nextAttemptDate = '', timestampSent } = { nextAttemptDate: '', ...latest }
      assert.equal(Math.floor((Date.parse(nextAttemptDate) - wait) / 1000), timestampSent)
      later(wait - 5_000)
      await tellAll(deps)
      assert.equal(heard().length, i + 1, 'not before its time')
      later(5_000)
      await tellAll(deps)
      assert.equal(heard().length, i + 2)
    }
    later(100 * 24 * hourMs)
    await tellAll(deps)
    const all = heard()
    assert.equal(all.length, 5)
    assert.deepEqual(
      all.map(({ deliveryAttempt }) => deliveryAttempt),
      [1, 2, 3, 4, 5],
    )
    const [first] = all
    assert.equal(new Set(all.map((one) => one['id'])).size, 5)
    assert.deepEqual(
      all.map(({ retryOf }) => retryOf),
      [undefined, ...waits.map(() => first?.['id'])],
    )
    for (const one of all)
      assert.deepEqual([one['data'], one['date']], [first?.['data'], first?.['date']])
    const [last] = await events(id)
    assert.ok(last && 'deliveryFailed' in last && last.deliveryFailed === true)
    assert.ok(!('nextAttemptDate' in last))
    assert.equal((await events(id, { deliveryFailed: 'true' })).length, 5)
    assert.equal((await events(id, { deliveryFailed: 'false' })).length, 0)
  })

  it('is told in the end to a receiver that was away for a day, whatever had happened', async () => {
    const { id } = await webhook()
    receiver.answer = answering(503)
    const heard = listen()
    const names = Array.from({ length: 24 }, (_, hour) => `key-of-hour-${hour}`)
    for (const name of names) {
      await happen('key.created', { key: { id: name } })
      for (let minutes = 0; minutes < 60; minutes += 12) {
        await tellAll(deps)
        later(12 * minuteMs)
      }
    }
    receiver.answer = answering(200)
    const missed = heard().length
    for (let hour = 0; hour <= 24; hour++) {
      await tellAll(deps)
      later(hourMs)
    }
    const received = heard().slice(missed)
    const told = received.map(({ data }) => Object(data).key.id)
    assert.deepEqual(told.toSorted(), names.toSorted())
    assert.equal((await events(id, { deliveryFailed: 'false', limit: '100' })).length, names.length)
  })

  it('waits for the first attempt of the one before, when both are of one thing', async () => {
    await webhook()
    for (let i = 0; i < 5; i++)
      await happen('wallet.created', { wallet: { id: 'wa-1', name: String(i) } })
    await happen('wallet.created', { wallet: { id: 'wa-2', name: 'other' } })
    while ((await dispatchEvents(platform.database, deps.now())) > 0);
    const leased = await takeReady(platform.database, deps.now(), 100)
    assert.equal(leased.length, 2, 'one of each wallet')
    const more = await takeReady(platform.database, deps.now(), 100)
    assert.deepEqual(more, [])
    const heard = listen()
    receiver.answer = answering(500)
    for (const row of leased) await deliver(deps, row)
    receiver.answer = answering(200)
    await tellAll(deps)
    const names = heard().map(({ data }) => Object(data).wallet.name)
    assert.deepEqual(
      names.filter((name) => name !== 'other'),
      ['0', '1', '2', '3', '4'],
    )
    later(minuteMs)
    await tellAll(deps)
    const again = heard()
      .slice(names.length)
      .map(({ data }) => Object(data).wallet.name)
    assert.deepEqual(again.toSorted(), ['0', 'other'])
  })
})

describe('a webhook that fails', () => {
  it('has not failed yet where its URL or status is another one', async () => {
    const { id: webhookId } = await webhook()
    receiver.answer = answering(500)
    const since = async () =>
      (await platform.database.selectFrom('webhooks').selectAll().executeTakeFirst())?.failing_since
    for (const [body, isFailing] of [
      [{ description: 'a' }, true],
      [{ url: `${receiver.url}/b` }, false],
      [{ status: 'Enabled' }, false],
    ] as const) {
      await happen('key.created', { key: { id: 'key-1' } })
      await tellAll(deps)
      assert.notEqual(await since(), null)
      await sdk.webhooks.updateWebhook({ webhookId, body })
      assert.equal((await since()) !== null, isFailing)
    }
  })
})

describe('an event that waits for another one', () => {
  it('is not looked at meanwhile, and comes after it though that was taken by somebody who died', async () => {
    await webhook()
    for (const id of ['a', 'b', 'c'])
      await happen('wallet.created', { wallet: { id: 'wa-1', a: id } })
    await dispatchEvents(platform.database, deps.now())
    const ready = () =>
      platform.database.selectFrom('deliveries').select('id').where('ready', '=', true).execute()
    assert.equal((await ready()).length, 1)
    const [first] = await takeReady(platform.database, deps.now(), 100)
    assert.ok(first)
    assert.deepEqual(await ready(), [])
    await happen('wallet.created', { wallet: { id: 'wa-1', a: 'd' } })
    const heard = listen()
    await tellAll(deps)
    assert.deepEqual(heard(), [])
    later(leaseMs)
    await tellAll(deps)
    assert.deepEqual(
      heard().map(({ data }) => Object(data).wallet.a),
      ['a', 'b', 'c', 'd'],
    )
  })

  it('comes after one that was dropped', async () => {
    const { id } = await webhook()
    for (const a of ['a', 'b']) await happen('wallet.created', { wallet: { id: 'wa-1', a } })
    await dispatchEvents(platform.database, deps.now())
    await sdk.webhooks.updateWebhook({ webhookId: id, body: { status: 'Disabled' } })
    const [first] = await takeReady(platform.database, deps.now(), 100)
    assert.ok(first)
    await deliver(deps, first)
    await sdk.webhooks.updateWebhook({ webhookId: id, body: { status: 'Enabled' } })
    const heard = listen()
    await tellAll(deps)
    assert.deepEqual(
      heard().map(({ data }) => Object(data).wallet.a),
      ['b'],
    )
  })
})

describe('what strangers have moved', () => {
  const move = (value: string, token: object) =>
    happen('wallet.blockchainevent.detected', {
      ...{ blockchainEvent: { ...token, value }, wallet: { id: 'wa-1' } },
    })
  /** Contracts of a stranger, and as many movements of each. */
  const flood = async (contracts: number, movements: number) => {
    for (let i = 0; i < contracts * movements; i++)
      await move(String(i), { contract: `0x0${i % contracts}`, verified: false })
  }
  const told = (heard: ReturnType<typeof listen>) =>
    heard().map(({ data }) => {
      const { blockchainEvent, transferRequest } = Object(data)
      return blockchainEvent?.value ?? transferRequest.status
    })

  it('holds up nothing of the wallet itself, which is told of in its order', async () => {
    await webhook()
    await flood(4, 8)
    await move('native', { verified: true })
    const walletId = 'wa-1'
    await happen('wallet.transfer.requested', { transferRequest: { walletId, status: 'asked' } })
    await move('listed', { contract: '0xaa', verified: true })
    await happen('wallet.transfer.confirmed', { transferRequest: { walletId, status: 'done' } })
    await dispatchEvents(platform.database, deps.now())
    const heard = listen()
    await tellAll(deps)
    assert.deepEqual(told(heard).slice(0, 4), ['native', 'asked', 'listed', 'done'])
    assert.equal(heard().length, 4 + 4 * 8)
    for (const contract of ['0x00', '0x03']) {
      const own = heard().flatMap(({ data }) => {
        const { blockchainEvent } = Object(data)
        return blockchainEvent?.contract === contract ? Number(blockchainEvent.value) : []
      })
      assert.deepEqual(
        own,
        own.toSorted((a, b) => a - b),
      )
    }
  })

  it('takes turns with what others have moved, however much of it there is', async () => {
    await webhook()
    await flood(4, 8)
    await move('other', { contract: '0xbb', verified: false })
    await dispatchEvents(platform.database, deps.now())
    later(1)
    const heard = listen()
    await tellAll(deps)
    assert.equal(told(heard).indexOf('other'), 4, 'after one of each')
  })

  it('is behind whatever else comes about meanwhile, but not for ever', async () => {
    await webhook()
    await flood(2, 2)
    await dispatchEvents(platform.database, deps.now())
    later(9 * minuteMs)
    await happen('key.created', { transferRequest: { walletId: 'wa-2', status: 'soon' } })
    await dispatchEvents(platform.database, deps.now())
    later(2 * minuteMs)
    await happen('key.created', { transferRequest: { walletId: 'wa-2', status: 'late' } })
    const heard = listen()
    await tellAll(deps)
    assert.deepEqual(told(heard), ['soon', '0', '1', 'late', '2', '3'])
  })
})

describe('an earlier event that is dispatched later', () => {
  /** As `happen`, of a transaction or a server that had an earlier time. */
  const happenEarlier = async (a: string) => {
    await happen('wallet.created', { wallet: { id: 'wa-1', a } })
    await platform.database
      .updateTable('outbox')
      .set({ id: new Uint8Array(16) })
      .where('dispatched_at', 'is', null)
      .execute()
    await dispatchEvents(platform.database, deps.now())
  }
  const told = (heard: ReturnType<typeof listen>) =>
    heard().map(({ data }) => Object(data).wallet.a)

  it('comes first, if nobody has the other one yet', async () => {
    await webhook()
    for (const a of ['b', 'c']) await happen('wallet.created', { wallet: { id: 'wa-1', a } })
    await dispatchEvents(platform.database, deps.now())
    await happenEarlier('a')
    const heard = listen()
    await tellAll(deps)
    assert.deepEqual(told(heard), ['a', 'b', 'c'])
  })

  it('comes beside it, and what follows after both', async () => {
    await webhook()
    for (const a of ['b', 'c']) await happen('wallet.created', { wallet: { id: 'wa-1', a } })
    await dispatchEvents(platform.database, deps.now())
    const [b] = await takeReady(platform.database, deps.now(), 100)
    await happenEarlier('a')
    const [a] = await takeReady(platform.database, deps.now(), 100)
    assert.ok(a && b)
    const heard = listen()
    await Promise.all([deliver(deps, a), deliver(deps, b)])
    await tellAll(deps)
    assert.deepEqual(told(heard).toSorted(), ['a', 'b', 'c'])
    assert.equal(told(heard).at(-1), 'c')
  })
})

describe('attempts', () => {
  it('of a webhook that is disabled or deleted meanwhile are dropped', async () => {
    const { id } = await webhook()
    const deleted = await webhook()
    receiver.answer = answering(500)
    await happen('key.created', { key: { id: 'key-1' } })
    await tellAll(deps)
    await sdk.webhooks.updateWebhook({ webhookId: id, body: { status: 'Disabled' } })
    await sdk.webhooks.deleteWebhook({ webhookId: deleted.id })
    const heard = listen()
    later(minuteMs)
    await tellAll(deps)
    await sdk.webhooks.updateWebhook({ webhookId: id, body: { status: 'Enabled' } })
    later(100 * hourMs)
    await tellAll(deps)
    assert.deepEqual(heard(), [])
    const [only, ...others] = await events(id)
    assert.deepEqual(others, [])
    assert.ok(only && !('nextAttemptDate' in only))
  })

  it('go ahead when a webhook was disabled and is enabled before they are due', async () => {
    const { id } = await webhook()
    receiver.answer = answering(500)
    await happen('key.created', { key: { id: 'key-1' } })
    await tellAll(deps)
    await sdk.webhooks.updateWebhook({ webhookId: id, body: { status: 'Disabled' } })
    await sdk.webhooks.updateWebhook({ webhookId: id, body: { status: 'Enabled' } })
    const heard = listen()
    later(minuteMs)
    await tellAll(deps)
    assert.equal(heard().length, 1)
  })

  it('that a dying worker has begun are made again, under the same id', async () => {
    await webhook()
    await happen('key.created', { key: { id: 'key-1' } })
    await dispatchEvents(platform.database, deps.now())
    const heard = listen()
    const [row] = await takeReady(platform.database, deps.now(), 1)
    assert.ok(row)
    await tellAll(deps)
    assert.deepEqual(heard(), [], 'somebody is at it')
    later(leaseMs + 1)
    await tellAll(deps)
    // The one that was thought dead ends what it had begun, and changes nothing by that.
    receiver.answer = answering(500)
    await deliver(deps, row)
    const ids = heard().map(({ id }) => id)
    assert.deepEqual(ids, [row.delivery_id, row.delivery_id])
    later(100 * hourMs)
    await tellAll(deps)
    assert.equal(heard().length, 2)
  })

  it('are shared by the workers of many servers, each made once', async () => {
    const { id } = await webhook()
    const heard = listen()
    const count = 60
    const workers = Array.from({ length: 3 }, () => startWebhookWorker({ ...deps, log }))
    for (let i = 0; i < count; i++)
      await happen('wallet.created', { wallet: { id: `wa-${i % 6}`, name: String(i) } })
    await until(() => heard().length >= count)
    await Promise.all(workers.map((worker) => worker.stop()))
    const names = heard().map(({ data }) => Number(Object(data).wallet.name))
    assert.equal(names.length, count)
    for (let wallet = 0; wallet < 6; wallet++) {
      const own = names.filter((name) => name % 6 === wallet)
      assert.deepEqual(
        own,
        own.toSorted((a, b) => a - b),
      )
    }
    assert.equal((await events(id, { deliveryFailed: 'false', limit: '100' })).length, count)
  })

  it('are forgotten after 31 days, with their event, and those that are due are not', async () => {
    const { id } = await webhook()
    const count = async (table: 'deliveries' | 'outbox') =>
      (await platform.database.selectFrom(table).select('id').execute()).length
    await happen('key.created', { key: { id: 'key-1' } })
    await tellAll(deps)
    await happen('key.created', { key: { id: 'key-2' } })
    await dispatchEvents(platform.database, deps.now())
    const before = [await count('deliveries'), await count('outbox')]
    later(keptMs - minuteMs)
    await forgetDeliveries(platform.database, deps.now())
    assert.deepEqual([await count('deliveries'), await count('outbox')], before)
    later(2 * minuteMs)
    await forgetDeliveries(platform.database, deps.now())
    assert.deepEqual([await count('deliveries'), await count('outbox')], [1, 1])
    const heard = listen()
    await tellAll(deps)
    assert.equal(heard().length, 1)
    await forgetDeliveries(platform.database, deps.now())
    assert.deepEqual([await count('deliveries'), await count('outbox')], [0, 0])
    assert.deepEqual(await events(id), [])
  })
})

describe('a receiver that leaves HTTP', () => {
  it('has not received the event, and holds nobody up', async () => {
    const sockets = new Set<Socket>()
    const leaves = 'HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => undefined))
      socket.once('data', () => socket.write(leaves))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const { id } = await webhook(['*'], `http://127.0.0.1:${port}/`)
    const worker = startWebhookWorker({ ...deps, log })
    await happen('key.created', { key: { id: 'key-1' } })
    await until(async () => (await events(id)).length > 0)
    await worker.stop()
    assert.equal((await events(id))[0]?.status, 'no-connection')
    for (const socket of sockets) socket.destroy()
    server.close()
  })
})

describe('a secret that was sealed under another key of the server', () => {
  it('is what an attempt fails of', async () => {
    const { id } = await webhook()
    const { privateKey } = generateKeyPairSync('ed25519')
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
    const heard = listen()
    await happen('key.created', { key: { id: 'key-1' } })
    await tellAll({ ...deps, tokens: await openTokens(pem.toString()) })
    assert.deepEqual(heard(), [])
    const [sent] = await events(id)
    assert.equal(sent?.status, 'no-secret')
    assert.ok(sent && 'error' in sent && sent.error && 'nextAttemptDate' in sent)
  })
})

describe('a name of a receiver', () => {
  it('that turns to a private address meanwhile is not followed there', async () => {
    const addresses = ['93.184.216.34', '10.0.0.1', '127.0.0.1']
    const resolve = async () => [{ address: addresses.shift() ?? '10.0.0.1', family: 4 }]
    const { port } = new URL(receiver.url)
    const outside = openReceivers({ resolve })
    assert.equal(outside.refusal(`https://receiver.test:${port}/`), undefined)
    const { id } = await webhook(['*'], `https://receiver.test:${port}/`)
    addresses.shift()
    const heard = listen()
    for (let i = 0; i < 2; i++) {
      await happen('key.created', { key: { id: `key-${i}` } })
      await tellAll({ ...deps, receivers: outside })
    }
    assert.deepEqual(heard(), [])
    const all = await events(id)
    assert.deepEqual(
      all.map(({ status }) => status),
      ['address-refused', 'address-refused'],
    )
  })
})

/** @returns the first request that comes while this is done */
async function of(doing: () => Promise<unknown>): Promise<Heard> {
  const from = receiver.heard.length
  await doing()
  return receiver.heard[from] ?? assert.fail('nothing was heard')
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!(await isSo())) {
    if (Date.now() > deadline) assert.fail('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
