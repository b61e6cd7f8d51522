import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { until } from '../coordinator/testing/platform.ts'

/** A write that a process is about to make, when all before it is on disk. */
export type Write = {
  readonly table: string
  readonly event: 'insert' | 'update'
  /** SQL on `new` and `old`. */
  readonly when: string
}

/**
 * Holds a write up in the database for as long as its process lives, so that nothing in the process has
 * to know of it.
 */
export async function openBrake(database: Database) {
  await sql`create function brake() returns trigger language plpgsql as
    $$ begin perform pg_sleep(600); return new; end $$`.execute(database)

  async function sleepers(): Promise<readonly { readonly pid: number }[]> {
    const { rows } = await sql<{ pid: number }>`select pid from pg_stat_activity
      where wait_event = 'PgSleep' and datname = current_database()`.execute(database)
    return rows
  }

  return {
    async set({ table, event, when }: Write): Promise<void> {
      const text = `create trigger brake before ${event} on ${table} for each row
        when (${when}) execute function brake()`
      await sql.raw(text).execute(database)
    },
    async isReached(): Promise<boolean> {
      return (await sleepers()).length > 0
    },
    /** The database does not notice by itself that whoever asked is dead. */
    async release({ table }: Write): Promise<void> {
      for (const { pid } of await sleepers())
        await sql`select pg_terminate_backend(${pid})`.execute(database)
      await until(async () => (await sleepers()).length === 0)
      await sql.raw(`drop trigger brake on ${table}`).execute(database)
    },
  }
}
export type Brake = Awaited<ReturnType<typeof openBrake>>
