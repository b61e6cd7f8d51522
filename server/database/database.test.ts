import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { sql } from 'kysely'
import { createTestDatabase, type TestDatabase } from '@quorate/scripts/test-database'
import { type Database, inTransaction, openDatabase } from './database.ts'
import { migrate, readMigrations } from './migrate.ts'

describe('the database', () => {
  let home: TestDatabase
  let database: Database
  before(async () => {
    home = await createTestDatabase()
    database = openDatabase(home.url, (error) => assert.fail(error))
  })
  after(async () => {
    await database.destroy()
    await home.drop()
  })

  it('is migrated once by several servers that start together', async () => {
    await Promise.all([migrate(database), migrate(database), migrate(database)])
    const { rows } = await sql`select version from schema_migrations`.execute(database)
    assert.equal(rows.length, readMigrations().length)
  })

  it('refuses a migration that has been changed since, and a schema of the future', async () => {
    const known = readMigrations()
    const changed = known.map((one) => ({ ...one, text: `${one.text}\n` }))
    await assert.rejects(migrate(database, changed), /not the one that was applied/)
    await assert.rejects(migrate(database, known.slice(0, -1)), /newer than this server/)
  })

  it('gives bytes and large numbers back as they were', async () => {
    const organization = new Uint8Array(32).fill(7)
    const row = { organization, stream: new Uint8Array(33), holder: 'one', until: 2 ** 52 }
    await database.insertInto('stream_leases').values(row).execute()
    const found = await database.selectFrom('stream_leases').selectAll().executeTakeFirst()
    assert.deepEqual(found, row)
  })

  it('keeps a text with U+0000 as one with U+FFFD, alone and in a list', async () => {
    const { rows } =
      await sql`select ${'a\0b'}::text as text, ${['c', '\0']}::text[] as list`.execute(database)
    assert.deepEqual(rows, [{ text: 'a\uFFFDb', list: ['c', '\uFFFD'] }])
  })

  it('does not pretend to read a number that JavaScript cannot hold', async () => {
    await assert.rejects(sql`select 9007199254740993::int8 as n`.execute(database), RangeError)
  })

  it('lets any number of transactions each read beside itself, and waits for none of them', async () => {
    const reads = Array.from({ length: 64 }, () =>
      inTransaction(database, async (transaction) => {
        await sql`select 1`.execute(transaction)
        return (await sql`select 2 as n`.execute(database)).rows
      }),
    )
    for (const rows of await Promise.all(reads)) assert.deepEqual(rows, [{ n: 2 }])
  })

  it('has statements planned once, and anew when their table has changed', async () => {
    await inTransaction(database, async (transaction) => {
      const ask = (n: number) => sql`select ${n}::int4 as asked_twice`.execute(transaction)
      for (const n of [1, 2]) assert.deepEqual((await ask(n)).rows, [{ asked_twice: n }])
      const planned = sql<{ count: number }>`select count(*) from pg_prepared_statements
        where statement like ${'%asked_twice%'} and generic_plans + custom_plans = 2`
      assert.deepEqual((await planned.execute(transaction)).rows, [{ count: 1 }])
    })
    await sql`create table grows (id int4 primary key)`.execute(database)
    const read = () => sql`select * from grows where id > ${0}`.execute(database)
    const pools = Array.from({ length: 32 }, read)
    await Promise.all(pools)
    await sql`alter table grows add column name text`.execute(database)
    await assert.rejects(read(), /cached plan/)
    assert.deepEqual((await Promise.all(Array.from({ length: 32 }, read))).length, 32)
  })

  it('runs a transaction again after a deadlock, and only then', async () => {
    await sql`create table counters (id int4 primary key, n int4 not null)`.execute(database)
    await sql`insert into counters values (1, 0), (2, 0)`.execute(database)
    let runs = 0
    // Each has one row before either asks for the other.
    const both = Promise.withResolvers<void>()
    const add = (first: number, second: number) =>
      inTransaction(database, async (transaction) => {
        await sql`update counters set n = n + 1 where id = ${first}`.execute(transaction)
        runs += 1
        if (runs >= 2) both.resolve()
        await both.promise
        await sql`update counters set n = n + 1 where id = ${second}`.execute(transaction)
      })
    await Promise.all([add(1, 2), add(2, 1)])
    assert.equal(runs, 3)
    const { rows } = await sql<{ n: number }>`select n from counters`.execute(database)
    assert.deepEqual(rows, [{ n: 2 }, { n: 2 }])

    let failures = 0
    const failing = inTransaction(database, async (transaction) => {
      failures += 1
      await sql`select 1 / 0`.execute(transaction)
    })
    await assert.rejects(failing, /division by zero/)
    assert.equal(failures, 1)
  })
})
