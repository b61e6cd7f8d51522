import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { sql, type PostgresPool } from 'kysely'
import pg from 'pg'
import { databaseOver, getTypeParser, type Database } from '../database/database.ts'
import { createServerDatabase } from '../testing/database.ts'
import { dispatchEvents } from './dispatch.ts'
import { findWaiting, leaseDeliveries, wakeDeliveries, wokenAtOnce } from './lease.ts'
import { shareOut } from './places.ts'
import { addWebhook, happens, newId } from './testing/organizations.ts'

const backlog = 200_000
/** Of a turn that finds two webhooks, with some to spare. */
const rowsMax = 200

describe('a turn of the worker', () => {
  let home: { readonly url: string; drop(): Promise<void> }
  let database: Database
  let looks: Looks
  before(async () => {
    home = await createServerDatabase()
    looks = { isOn: false, rows: 0 }
    database = databaseOver({
      statements: lookingPool(home.url, looks),
      transactions: lookingPool(home.url, looks),
    })
  })
  afterEach(async () => {
    for (const table of ['deliveries', 'outbox', 'webhooks'] as const)
      await sql`truncate ${sql.table(table)}`.execute(database)
  })
  after(async () => {
    await database.destroy()
    await home.drop()
  })

  type Backlog = {
    readonly subject: string | null
    readonly attempt: number
    readonly ready: string
  }
  /** So much waits for one webhook, and longer than anything else does. */
  const insert = async ({ subject, attempt, ready }: Backlog): Promise<Uint8Array> => {
    const organization = newId()
    const webhook = await addWebhook(database, organization, 'http://127.0.0.1:1/')
    await sql`insert into deliveries (organization, id, delivery_id, webhook, event, kind, subject,
        attempt, raised_at, due_at, ready)
      select ${organization}, decode(lpad(to_hex(i), 64, '0'), 'hex'), 'whe-' || i, ${webhook},
        decode(lpad(to_hex(i), 32, '0'), 'hex'), 'wallet.created', ${subject}, ${attempt}::int4, i, i,
        ${sql.raw(ready)}
      from generate_series(1, ${backlog}::int4) i`.execute(database)
    return organization
  }
  const addOther = async (): Promise<Uint8Array> => {
    const organization = newId()
    await addWebhook(database, organization, 'http://127.0.0.1:1/')
    await happens(database, organization, { count: 1, wallets: 1 })
    return organization
  }
  const turn = async () => {
    looks.rows = 0
    looks.isOn = true
    const now = Date.now()
    await dispatchEvents(database, now)
    const woken = await wakeDeliveries(database, now)
    const leased = await leaseDeliveries(
      database,
      shareOut(await findWaiting(database), [], () => 0),
      now,
    )
    looks.isOn = false
    return { woken, leased, rows: looks.rows }
  }

  for (const [what, rows, seen] of [
    ['is ready', { subject: null, attempt: 1, ready: 'true' }, rowsMax],
    ['is of one wallet', { subject: 'wa-1', attempt: 1, ready: 'i = 1' }, rowsMax],
    ['comes again', { subject: null, attempt: 2, ready: 'false' }, rowsMax + 3 * wokenAtOnce],
  ] as const)
    it(`sees as little as ever, and whoever else there is, when much ${what} for one`, async () => {
      const busy = await insert(rows)
      for (const analyze of [false, true]) {
        if (analyze) await sql`analyze deliveries`.execute(database)
        const other = await addOther()
        const { leased, rows: seenRows } = await turn()
        const own = (organization: Uint8Array) =>
          leased.filter((row) => Buffer.compare(row.organization, organization) === 0).length
        assert.equal(own(other), 1)
        assert.ok(own(busy) <= 1, 'it was never asked')
        assert.ok(seenRows > 0 && seenRows <= seen, `${seenRows} rows`)
      }
    })
})

type Looks = { isOn: boolean; rows: number }

/** A pool whose statements are explained before they are run, with what they did undone. */
function lookingPool(url: string, looks: Looks): PostgresPool {
  const pool = new pg.Pool({ connectionString: url, max: 4, types: { getTypeParser } })
  return {
    options: {},
    end: () => pool.end(),
    connect: async () => {
      const client = await pool.connect()
      const query = async (text: string, values: readonly unknown[]) => {
        if (looks.isOn && text.includes('deliveries')) {
          const undo = await undoable(client)
          const { rows } = await client.query(`explain (analyze, format json) ${text}`, [...values])
          await client.query(undo)
          looks.rows += rowsOf(rows[0]['QUERY PLAN'][0].Plan)
        }
        return client.query(text, [...values])
      }
      return { query, release: () => client.release() } as never
    },
  }
}

/** @returns what undoes all that comes now, in a transaction or outside of one */
async function undoable(client: pg.PoolClient): Promise<string> {
  try {
    await client.query('savepoint look')
    return 'rollback to savepoint look'
  } catch {
    await client.query('begin')
    return 'rollback'
  }
}

type Plan = { readonly [name: string]: unknown; readonly Plans?: readonly Plan[] }

/** All that was read of the table of attempts, or of an index of it, also what did not fit. */
function rowsOf(plan: Plan): number {
  const perLoop = ['Actual Rows', 'Rows Removed by Filter', 'Rows Removed by Index Recheck']
    .map((name) => Number(plan[name] ?? 0))
    .reduce((sum, rows) => sum + rows, 0)
  const own = plan['Relation Name'] === 'deliveries' || 'Index Name' in plan ? perLoop : 0
  const below = (plan.Plans ?? []).map(rowsOf).reduce((sum, rows) => sum + rows, 0)
  return own * Number(plan['Actual Loops'] ?? 1) + below
}
