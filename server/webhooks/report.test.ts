import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { toHex } from '@quorate/core/bytes'
import { nameOf } from '@quorate/core/id'
import { openDatabase, type Database } from '../database/database.ts'
import { createServerDatabase } from '../testing/database.ts'
import { failingMs, openReport, reportMs, type Report } from './report.ts'
import { addWebhook, happens, newId, tellersOf } from './testing/organizations.ts'
import { answering, startReceiver, type Receiver } from './testing/receiver.ts'
import { tellAll } from './testing/tell.ts'
import { startWebhookWorker } from './worker.ts'

const [minuteMs, dayMs] = [60_000, 24 * 60 * 60_000]

describe('what operators read of webhooks', () => {
  let home: { readonly url: string; drop(): Promise<void> }
  let database: Database
  let receiver: Receiver
  let ahead = 0
  const now = () => Date.now() + ahead
  type Line = { readonly [name: string]: unknown; readonly message: string }
  let lines: Line[]
  let report: Report
  const write = (context: object, message: string) => void lines.push({ ...context, message })
  const log = { info: write, warn: write, error: write }
  before(async () => {
    home = await createServerDatabase()
    database = openDatabase(home.url, (error) => assert.ifError(error))
    receiver = await startReceiver()
  })
  beforeEach(() => {
    lines = []
    ahead = 0
    receiver.answer = answering(200)
    report = openReport({ database, now, log })
  })
  afterEach(async () => {
    for (const table of ['deliveries', 'outbox', 'webhooks'] as const)
      await database.deleteFrom(table).execute()
  })
  after(async () => {
    await receiver.close()
    await database.destroy()
    await home.drop()
  })
  const tell = () => tellAll({ ...tellersOf(database), now })
  const add = async () => {
    const organization = newId()
    const id = await addWebhook(database, organization, `${receiver.url}?token=secret`)
    const named = { organization: toHex(organization), webhook: nameOf('webhook', id) }
    return { organization, named, happen: () => happens(database, organization, once) }
  }
  const once = { count: 1, wallets: 1 }
  const read = async () => {
    await report.turn()
    return lines.splice(0)
  }

  it('is which webhook has received nothing for long, until it receives something', async () => {
    const failing = await add()
    const well = await add()
    await failing.happen()
    receiver.answer = answering(500)
    const since = now()
    await tell()
    receiver.answer = answering(200)
    await well.happen()
    await tell()
    assert.deepEqual(
      (await read()).map(({ message }) => message),
      ['attempts to tell of events are still to come'],
      'it has not been long',
    )
    ahead = failingMs + minuteMs
    receiver.answer = answering(503)
    await tell()
    const [line, ...others] = await read()
    assert.ok(line)
    assert.deepEqual(
      { ...line, since: undefined },
      {
        ...failing.named,
        since: undefined,
        message: 'a webhook has received nothing for long',
      },
    )
    assert.ok(Math.abs(Date.parse(String(line['since'])) - since) < minuteMs)
    assert.deepEqual(
      others.map(({ waiting }) => waiting),
      [1],
    )
    ahead += 3 * 60 * minuteMs
    receiver.answer = answering(200)
    await tell()
    assert.deepEqual(await read(), [])
  })

  it('is none of a webhook that is disabled, and comes again with each report, and not sooner', async () => {
    const { organization, happen } = await add()
    await happen()
    receiver.answer = answering(500)
    await tell()
    ahead = failingMs
    const told = async () => (await read()).filter(({ since }) => since !== undefined).length
    assert.equal(await told(), 1)
    ahead += reportMs - minuteMs
    assert.equal(await told(), 0)
    ahead += minuteMs
    assert.equal(await told(), 1)
    await database
      .updateTable('webhooks')
      .set({ status: 'Disabled' })
      .where('organization', '=', organization)
      .execute()
    ahead += reportMs
    assert.equal(await told(), 0)
  })

  it('is how many events of a webhook were given up, and never a URL', async () => {
    const { organization, named } = await add()
    await happens(database, organization, { count: 3, wallets: 3 })
    receiver.answer = answering(404)
    const worker = startWebhookWorker({ ...tellersOf(database), now, log })
    const from = receiver.heard.length
    try {
      for (let attempt = 1; attempt <= 5; attempt++) {
        await within(20_000, () => receiver.heard.length - from === 3 * attempt)
        await within(20_000, async () => (await noted()) === 3 * attempt)
        ahead += dayMs
      }
    } finally {
      await worker.stop()
    }
    const lost = lines.filter(({ message }) => message.startsWith('events were given up'))
    assert.equal(
      lost.reduce((sum, { events }) => sum + Number(events), 0),
      3,
    )
    for (const { events: _, message: __, ...line } of lost)
      assert.deepEqual(line, { ...named, status: '404' })
    assert.ok(lines.length > lost.length, 'and that it received nothing for long')
    assert.doesNotMatch(JSON.stringify(lines), /token|http:/)
  })

  const noted = async () =>
    (
      await database
        .selectFrom('deliveries')
        .select('id')
        .where('sent_at', 'is not', null)
        .execute()
    ).length
})

async function within(ms: number, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + ms
  while (!(await isSo())) {
    if (Date.now() > deadline) assert.fail(`not within ${ms} ms`)
    await sleep(20)
  }
}
