import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { openDatabase, type Database } from '../database/database.ts'
import { createServerDatabase } from '../testing/database.ts'
import { answering, startReceiver, type Receiver } from './testing/receiver.ts'
import { forgetDeliveries, rowsAtOnce } from './forget.ts'
import { silentMax } from './places.ts'
import { addWebhook, happens, newId, tellersOf } from './testing/organizations.ts'
import { startWebhookWorker, type WebhookWorker } from './worker.ts'

/** Long before the first attempt at a receiver that does not answer has ended. */
const soonMs = 4_000

describe('the worker that tells of events', () => {
  const errors: unknown[] = []
  let home: { readonly url: string; drop(): Promise<void> }
  let database: Database
  let healthy: Receiver
  let silent: Receiver
  let broken: Receiver
  let workers: WebhookWorker[]
  before(async () => {
    home = await createServerDatabase()
    database = openDatabase(home.url, (error) => errors.push(error))
    healthy = await startReceiver()
    silent = await startReceiver()
    silent.answer = () => undefined
    broken = await startReceiver()
    broken.answer = (_, response) => void setTimeout(() => response.destroy(), 200)
  })
  beforeEach(() => {
    workers = []
  })
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()))
    for (const table of ['deliveries', 'outbox', 'webhooks'] as const)
      await database.deleteFrom(table).execute()
    assert.deepEqual(errors.splice(0), [])
  })
  after(async () => {
    await healthy.close()
    await silent.close()
    await broken.close()
    await database.destroy()
    await home.drop()
  })
  const start = (count = 1) => {
    const error = (context: object) => void errors.push(context)
    const log = { info: () => undefined, warn: () => undefined, error }
    for (let i = 0; i < count; i++)
      workers.push(startWebhookWorker({ ...tellersOf(database), log }))
  }
  /** What the healthy receiver hears from now on, by name. */
  const listen = () => {
    const from = healthy.heard.length
    return () =>
      healthy.heard.slice(from).map(({ body }) => Number(JSON.parse(body).data.wallet.name))
  }

  it('tells a healthy webhook of an organization whose other one never answers', async () => {
    const organization = newId()
    const count = 50
    await addWebhook(database, organization, silent.url)
    await addWebhook(database, organization, healthy.url)
    await happens(database, organization, { count, wallets: count })
    const heard = listen()
    const asked = silent.heard.length
    start()
    await within(soonMs, () => heard().length >= count)
    assert.equal(new Set(heard()).size, count)
    assert.equal(silent.heard.length, asked + 1, 'it has a single place')
  })

  it('forgets what is old turn by turn, some at a time, and tells meanwhile', async () => {
    const organization = newId()
    const webhook = await addWebhook(database, organization, healthy.url)
    const count = 2 * rowsAtOnce + 500
    await sql`insert into outbox (organization, id, kind, data, created_at, dispatched_at)
      select ${organization}, decode(lpad(to_hex(i), 32, '0'), 'hex'), 'wallet.created', '{}', i, i
      from generate_series(1, ${count}::int4) i`.execute(database)
    await sql`insert into deliveries (organization, id, delivery_id, webhook, event, kind, attempt,
        raised_at, sent_at, status)
      select organization, sha256(id), 'whe-' || encode(id, 'hex'), ${webhook}, id, kind, 1,
        created_at, created_at, '200'
      from outbox`.execute(database)
    const left = async (table: 'deliveries' | 'outbox') =>
      (await database.selectFrom(table).select('id').execute()).length
    assert.equal(await forgetDeliveries(database, Date.now()), 'more')
    const some = count - rowsAtOnce
    assert.deepEqual([await left('deliveries'), await left('outbox')], [some, some])
    await happens(database, organization, { count: 1, wallets: 1 })
    const heard = listen()
    start()
    await within(soonMs, () => heard().length === 1)
    await within(soonMs, async () => (await left('deliveries')) + (await left('outbox')) === 2)
  })

  it('tells a healthy organization beside many whose receivers never answer', async () => {
    const count = 20
    for (let i = 0; i < 20; i++) {
      const organization = newId()
      await addWebhook(database, organization, silent.url)
      await happens(database, organization, { count, wallets: count })
    }
    const organization = newId()
    await addWebhook(database, organization, healthy.url)
    await happens(database, organization, { count, wallets: count })
    const heard = listen()
    start()
    await within(soonMs, () => heard().length >= count)
  })

  it('asks each of more organizations than have places, when the receiver of none answers', async () => {
    const from = broken.heard.length
    const [count, organizations] = [20, silentMax + 4]
    for (let i = 0; i < organizations; i++) {
      const organization = newId()
      await addWebhook(database, organization, `${broken.url}/${i}`)
      await happens(database, organization, { count, wallets: count })
    }
    start()
    await within(60_000, () => broken.heard.length - from >= 6 * organizations)
    const asked = Map.groupBy(broken.heard.slice(from), ({ path }) => path)
    const times = [...asked.values()].map(({ length }) => length)
    assert.equal(asked.size, organizations)
    assert.ok(Math.min(...times) >= 3)
  })

  it('asks a receiver that did not answer once at a time, until it does', async () => {
    const [organization, count] = [newId(), 12]
    await addWebhook(database, organization, healthy.url)
    await happens(database, organization, { count, wallets: count })
    const heard = listen()
    const under = { way: 0, most: 0 }
    healthy.answer = async (_, response) => {
      under.most = Math.max(under.most, (under.way += 1))
      await sleep(heard().length <= 3 ? 0 : 300)
      under.way -= 1
      if (heard().length <= 3) response.destroy()
      else response.writeHead(200).end()
    }
    start()
    await within(soonMs, () => heard().length >= 4)
    assert.equal(under.most, 1)
    await within(soonMs, () => heard().length >= count)
    assert.ok(under.most > 2, 'then several')
    healthy.answer = answering(200)
  })

  it('tells each event once and in its order, beside others over the same few wallets', async () => {
    const [organization, count, wallets] = [newId(), 600, 7]
    await addWebhook(database, organization, healthy.url)
    const heard = listen()
    start(3)
    for (let i = 0; i < 4; i++) await happens(database, organization, { count: count / 4, wallets })
    await within(120_000, () => heard().length >= count)
    await sleep(100)
    assert.equal(heard().length, count)
    const perRound = count / 4
    for (let wallet = 0; wallet < wallets; wallet++) {
      const own = heard().filter((name) => name % wallets === wallet)
      const round = Array.from({ length: perRound }, (_, i) => i).filter(
        (i) => i % wallets === wallet,
      )
      assert.deepEqual(own, [...round, ...round, ...round, ...round])
    }
  })
})

async function within(ms: number, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + ms
  while (!(await isSo())) {
    if (Date.now() > deadline) assert.fail(`not within ${ms} ms`)
    await sleep(20)
  }
}
