import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { sql } from 'kysely'
import { createTestDatabase, type TestDatabase } from '@quorate/scripts/test-database'
import { type Database, openDatabase } from './database.ts'
import { migrate } from './migrate.ts'

describe('a migration', () => {
  let home: TestDatabase
  let databases: readonly Database[]
  before(async () => {
    home = await createTestDatabase()
    const limits = { statementMsMax: 200, answerMsMax: 200 }
    const open = () => openDatabase(home.url, (error) => assert.fail(error), limits)
    databases = [open(), open()]
  })
  after(async () => {
    await Promise.all(databases.map((one) => one.destroy()))
    await home.drop()
  })

  it('takes longer than any other statement may, and whoever comes second waits for it', async () => {
    const text = 'select pg_sleep(1);\ncreate table late as select 1 as n'
    const long = [{ version: 1, name: '0001-long.sql', text }]
    await Promise.all(databases.map((database) => migrate(database, long)))
    for (const database of databases) {
      const { rows } = await sql`select n from late`.execute(database)
      assert.deepEqual(rows, [{ n: 1 }])
    }
  })
})
