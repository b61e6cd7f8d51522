import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { TestDatabase } from '@quorate/scripts/test-database'
import { inTransaction, openDatabase, type Database } from '../database/database.ts'
import { forbidMany } from '../database/testing/bites.ts'
import { rowsRead } from '../database/testing/rows-read.ts'
import { openLog } from '../log.ts'
import { openMailbox } from './mailbox.ts'
import { enqueueMail, forgetOldMails, leaseMails, leaseMs } from './queue.ts'
import { openSmtp } from './smtp.ts'
import type { Mail } from './templates.ts'
import { openPostOffice, type PostOffice } from './testing/post-office.ts'
import { sendDue, startMailWorker, type MailDeps } from './worker.ts'
import { createServerDatabase } from '../testing/database.ts'

const organization = new Uint8Array(32).fill(1)
const minute = 60_000
const begin = Date.UTC(2026, 0, 2)
const secret = '1234-5678-9012-3456'
const mail: Mail = {
  template: 'login-code',
  values: {
    ...{ orgId: 'or-1', organization: 'Example', username: 'ada@example.test' },
    ...{ code: secret, until: begin + 15 * minute },
  },
}
const posting = {
  ...{ organization, recipient: 'ada@example.test', mail, now: begin },
  expiresAt: begin + 15 * minute,
}

describe('the outgoing mail', () => {
  let home: TestDatabase
  let database: Database
  let office: PostOffice
  let logged: string
  let clock: number
  let deps: MailDeps
  before(async () => {
    home = await createServerDatabase()
    database = openDatabase(home.url, (error) => assert.fail(error))
    office = await openPostOffice()
  })
  after(async () => {
    await office.close()
    await database.destroy()
    await home.drop()
  })
  beforeEach(async () => {
    await sql`truncate mails`.execute(database)
    office.received.length = 0
    logged = ''
    clock = begin
    deps = {
      ...{ database, pagesUrl: 'https://wallets.example.test', now: () => clock },
      carrier: openSmtp({
        url: `smtp://127.0.0.1:${office.port}`,
        from: 'quorate@example.test',
        ca: undefined,
      }),
      log: openLog({ write: (line) => (logged += line) }),
    }
  })
  const enqueue = (more: Partial<typeof posting> = {}) =>
    inTransaction(database, (transaction) => enqueueMail(transaction, { ...posting, ...more }))
  const rows = () => database.selectFrom('mails').selectAll().execute()
  const row = async () => {
    const [found] = await rows()
    assert.ok(found)
    return found
  }

  it('is sent once by two workers, and nothing secret of it is kept', async () => {
    await enqueue()
    await Promise.all([sendDue(deps), sendDue(deps)])
    assert.equal(await sendDue(deps), 0)
    assert.equal(office.received.length, 1)
    assert.match(office.received[0]?.raw ?? '', new RegExp(secret))
    const { recipient, values_json, next_try, sent_at, given_up_at } = await row()
    assert.deepEqual([recipient, values_json, next_try], [null, null, null])
    assert.deepEqual([sent_at, given_up_at], [begin, null])
  })

  it('comes about with what causes it, or not at all', async () => {
    const failing = inTransaction(database, async (transaction) => {
      await enqueueMail(transaction, posting)
      throw new Error('the cause did not come about')
    })
    await assert.rejects(failing, /did not come about/)
    assert.deepEqual(await rows(), [])
  })

  it('goes out again, under the same id, when whoever sent it died before writing that down', async () => {
    await enqueue()
    const [leased] = await leaseMails(database, 1, clock)
    assert.ok(leased?.recipient)
    const { id, recipient: to, created_at: createdAt } = leased
    await deps.carrier.send({ id, to, subject: 'Your login code', text: '', createdAt })
    assert.equal(await sendDue(deps), 0, 'the dead one still has it')
    clock += leaseMs + 1
    assert.equal(await sendDue(deps), 1)
    const ids = office.received.map(({ raw }) => /^Message-ID: (.*)\r$/m.exec(raw)?.[1])
    assert.equal(ids.length, 2)
    assert.equal(ids[0], ids[1])
  })

  it('is tried again, ever more seldom, while the mail server refuses it', async () => {
    await enqueue()
    const tries: number[] = []
    for (let i = 0; i < 4; i++) {
      office.refusals.push({ status: 451, text: `not now, ada@example.test, ${secret}` })
      await sendDue(deps)
      const { next_try: next } = await row()
      assert.ok(next)
      tries.push(next - clock)
      clock = next
    }
    assert.deepEqual(tries, [2_000, 4_000, 8_000, 16_000])
    await sendDue(deps)
    assert.equal(office.received.length, 1)
    assert.match(logged, /"status":451/)
  })

  it('is given up when what it says is of no use any more, and forgotten as if it were sent', async () => {
    await enqueue()
    clock = posting.expiresAt
    await sendDue(deps)
    assert.equal(office.received.length, 0)
    const { recipient, values_json, next_try, sent_at, given_up_at } = await row()
    assert.deepEqual([recipient, values_json, next_try], [null, null, null])
    assert.deepEqual([sent_at, given_up_at], [null, clock])
    assert.match(logged, /a mail was given up/)
    await forgetOldMails(database, clock + 29 * 24 * 60 * minute)
    assert.equal((await rows()).length, 1)
    await forgetOldMails(database, clock + 31 * 24 * 60 * minute)
    assert.equal((await rows()).length, 0)
  })

  it('leaves neither address nor code nor password in the log', async () => {
    const url = `smtp://ada:hunter2@127.0.0.1:${office.port}`
    const carrier = openSmtp({ url, from: 'quorate@example.test', ca: undefined })
    await enqueue()
    await sendDue({ ...deps, carrier })
    assert.match(logged, /"code":"EAUTH"/)
    office.refusals.push({ status: 550, text: `unknown: ada@example.test ${secret}` })
    clock += minute
    await sendDue(deps)
    assert.match(logged, /"status":550/)
    for (const word of ['hunter2', 'ada', secret, 'aHVudGVy', 'Example'])
      assert.ok(!logged.includes(word), word)
  })

  /** As many that were sent a month and an hour ago, and as many that were sent now. */
  const addSent = (old: number, young: number) =>
    sql`insert into mails (organization, id, template, attempts, expires_at, lease_until, created_at, sent_at)
      select '\x01', i, 'login-code', 0, 0, 0, ${begin}::int8 - case when i <= ${old}::int then ${month}::int8 else 0 end, 1
      from generate_series(1, ${old + young}::int) i`.execute(database)
  const month = (30 * 24 + 1) * 60 * minute

  it('is forgotten in bites, while others go out', async () => {
    await addSent(2_500, 3)
    await forbidMany(database, 'mails', 1_000)
    await enqueue()
    const worker = startMailWorker(deps)
    while ((await rows()).length > 4 || office.received.length === 0) await sleep(10)
    await worker.stop()
    assert.equal(logged, '')
    assert.equal((await rows()).length, 4)
  })

  it('is found without reading those that are kept', async () => {
    await addSent(10, 20_000)
    await sql`analyze mails`.execute(database)
    const read = await rowsRead(database, 'mails', (some) => forgetOldMails(some, begin))
    assert.ok(read <= 40, `${read} were read`)
    assert.equal((await rows()).length, 20_000)
  })

  it('goes out though old ones cannot be forgotten, and the log says so once', async () => {
    await addSent(1, 0)
    await sql`create function refuse() returns trigger language plpgsql as
      $$ begin raise exception 'not now'; end $$`.execute(database)
    await sql`create trigger refused before delete on mails
      for each row execute function refuse()`.execute(database)
    const worker = startMailWorker(deps)
    for (const received of [1, 2]) {
      await enqueue()
      worker.wake()
      while (office.received.length < received) await sleep(10)
    }
    await worker.stop()
    await sql`drop trigger refused on mails`.execute(database)
    assert.equal(logged.match(/old mails were not deleted/g)?.length, 1)
  })

  it('cannot rest in the table with its content', async () => {
    await enqueue()
    await assert.rejects(database.updateTable('mails').set({ next_try: null }).execute(), /check/)
  })

  it('takes one address, and no list, name or further header', async () => {
    for (const recipient of [
      'ada',
      'ada@example.test, eve@example.test',
      'Ada <ada@example.test>',
      'ada@example.test\r\nBcc: eve@example.test',
      '',
    ])
      await assert.rejects(enqueue({ recipient }), TypeError, recipient)
    assert.deepEqual(await rows(), [])
  })

  it('goes out by a worker that runs, and into a folder where there is no mail server', async () => {
    const folder = join(mkdtempSync(join(tmpdir(), 'quorate-mailbox-')), 'mailbox')
    const mailbox = openMailbox(folder)
    await enqueue({ recipient: 'first@example.test' })
    await enqueue({ recipient: 'second@example.test', now: begin + 1 })
    clock += 2
    const worker = startMailWorker({ ...deps, carrier: mailbox })
    while ((await rows()).some(({ sent_at }) => sent_at === null)) worker.wake()
    await worker.stop()
    const mails = await mailbox.list()
    assert.deepEqual(
      mails.map(({ to }) => to),
      ['second@example.test', 'first@example.test'],
    )
    assert.match(mails[0]?.text ?? '', new RegExp(secret))
    assert.equal(statSync(folder).mode & 0o777, 0o700)
    for (const name of readdirSync(folder))
      assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600)
    rmSync(join(folder, '..'), { recursive: true })
  })
})
