import { readdirSync, readFileSync } from 'node:fs'
import { sql } from 'kysely'
import { toHex, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { type Database, type DatabaseTransaction, inTransaction } from './database.ts'
import { liftLimit } from './limit.ts'

export type Migration = { readonly version: number; readonly name: string; readonly text: string }

/** Each with a number of its own, such as `0001-log.sql`; each room of the server has its ten. */
export function readMigrations(folder = new URL('migrations/', import.meta.url)): Migration[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.sql'))
  const migrations = names.sort().map((name) => {
    if (!/^[0-9]{4}-[a-z-]+\.sql$/.test(name)) throw new Error(`${name} is no migration's name.`)
    const text = readFileSync(new URL(name, folder), 'utf8')
    return { version: Number(name.slice(0, 4)), name, text }
  })
  if (new Set(migrations.map(({ version }) => version)).size !== migrations.length)
    throw new Error('Two migrations have one number.')
  return migrations
}

/**
 * Brings the schema up to date. Servers that start at once wait for each other at one locked row,
 * which every engine has, unlike advisory locks.
 *
 * @throws Error when a migration was changed after it had been applied, or the database is newer
 */
export async function migrate(database: Database, migrations = readMigrations()): Promise<void> {
  await prepare(database)
  for (const migration of migrations) await apply(database, migration)
  const { rows } = await sql<{
    version: number
  }>`select version from schema_migrations`.execute(database)
  const known = new Set(migrations.map(({ version }) => version))
  if (rows.some(({ version }) => !known.has(version)))
    throw new Error('The database is newer than this server.')
}

async function prepare(database: Database): Promise<void> {
  await tolerant(() =>
    sql`create table if not exists schema_migrations (
      version int4 primary key, name text not null, checksum text not null)`.execute(database),
  )
  await tolerant(() =>
    sql`create table if not exists schema_lock (id int4 primary key)`.execute(database),
  )
  await sql`insert into schema_lock (id) values (1) on conflict do nothing`.execute(database)
}

/** Two that create one table at once: PostgreSQL tells the second one so in one of these ways. */
const createdMeanwhile: ReadonlySet<unknown> = new Set(['23505', '42P07', '42710'])
/** The other one may not have committed yet; asked again, PostgreSQL waits for it. */
const createAttemptsMax = 5

async function tolerant(create: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await create()
      return
    } catch (error) {
      const isThere = error instanceof Error && 'code' in error && createdMeanwhile.has(error.code)
      if (!isThere || attempt >= createAttemptsMax) throw error
    }
  }
}

async function apply(database: Database, migration: Migration): Promise<void> {
  const { version, name, text } = migration
  const checksum = toHex(sha256(toUtf8(text)))
  await inTransaction(database, async (transaction) => {
    // An index of a large table takes minutes, and as long waits whoever comes second.
    await liftLimit(transaction)
    await sql`select id from schema_lock where id = 1 for update`.execute(transaction)
    const { rows } = await sql<{
      checksum: string
    }>`select checksum from schema_migrations where version = ${version}`.execute(transaction)
    const [applied] = rows
    if (applied !== undefined && applied.checksum !== checksum)
      throw new Error(`Migration ${name} is not the one that was applied.`)
    if (applied !== undefined) return
    await runStatements(transaction, text)
    await sql`insert into schema_migrations (version, name, checksum)
      values (${version}, ${name}, ${checksum})`.execute(transaction)
  })
}

/** One at a time, as engines without transactional DDL need them. */
async function runStatements(transaction: DatabaseTransaction, text: string): Promise<void> {
  const statements = text.split(/;[ \t]*(?:\n|$)/).filter((statement) => statement.trim() !== '')
  for (const statement of statements) await sql.raw(statement).execute(transaction)
}
