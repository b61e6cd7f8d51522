import assert from 'node:assert/strict'
import { createTestDatabase, type TestDatabase } from '@quorate/scripts/test-database'
import { openDatabase } from '../database/database.ts'
import { migrate } from '../database/migrate.ts'

const template = { name: 'server', fill }

/** With the server's tables, and nothing in them: a copy of one that is made once in a run. */
export function createServerDatabase(): Promise<TestDatabase> {
  return createTestDatabase({ template })
}

async function fill(url: string): Promise<void> {
  const database = openDatabase(url, (error) => assert.fail(error))
  await migrate(database)
  await database.destroy()
}
