import { sql } from 'kysely'
import { type Database, type DatabaseTransaction, inTransaction } from '../database.ts'
import type { Tables } from '../tables.ts'

/** How many rows of a table were fetched for what `run` asks, be they of use or not. */
export function rowsRead(
  database: Database,
  table: keyof Tables & string,
  run: (transaction: DatabaseTransaction) => Promise<unknown>,
): Promise<number> {
  return inTransaction(database, async (transaction) => {
    await run(transaction)
    const { rows } = await sql<{ count: number }>`
      select seq_tup_read + coalesce(idx_tup_fetch, 0) as count
      from pg_stat_xact_user_tables where relname = ${table}`.execute(transaction)
    return rows[0]?.count ?? 0
  })
}
