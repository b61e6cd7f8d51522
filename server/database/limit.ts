import { sql } from 'kysely'
import type { DatabaseTransaction } from './database.ts'

/** `prepared.ts` knows these two, and waits as long as PostgreSQL works. */
export const lifting = 'set local statement_timeout = 0'
export const restoring = 'set local statement_timeout to default'

/**
 * The statements of a transaction that come now take as long as they take, until its end or
 * `restoreLimit`: what goes through all there is grows with it.
 */
export async function liftLimit(transaction: DatabaseTransaction): Promise<void> {
  await sql.raw(lifting).execute(transaction)
}

export async function restoreLimit(transaction: DatabaseTransaction): Promise<void> {
  await sql.raw(restoring).execute(transaction)
}
