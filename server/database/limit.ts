import { sql } from 'kysely'
import type { DatabaseTransaction } from './database.ts'

/** `prepared.ts` knows it, and waits as long as PostgreSQL works. */
export const lifting = 'set local statement_timeout = 0'

/**
 * The statements of a transaction that come now take as long as they take: what goes through all there is grows
 * with it.
 */
export async function liftLimit(transaction: DatabaseTransaction): Promise<void> {
  await sql.raw(lifting).execute(transaction)
}
