import type { Database } from '../database/database.ts'

/** As documented. */
export const keptMs = 31 * 24 * 60 * 60_000
/** Rows of one statement: none holds others up for long. */
export const rowsAtOnce = 1_000

/**
 * Attempts that were made so long ago, and events of which no attempt is left; some of each, as there
 * may be hundreds of thousands and whoever asks tells of events as well.
 *
 * @returns `more` where some may be left to the next time
 */
export async function forgetDeliveries(database: Database, now: number): Promise<'more' | 'all'> {
  const attempts = await forgetAttempts(database, now - keptMs)
  const events = await forgetEvents(database, now - keptMs)
  return attempts === rowsAtOnce || events === rowsAtOnce ? 'more' : 'all'
}

async function forgetAttempts(database: Database, before: number): Promise<number> {
  const old = database
    .selectFrom('deliveries')
    .select(['organization', 'id'])
    .where('raised_at', '<', before)
    .where('due_at', 'is', null)
    .orderBy('raised_at')
    .limit(rowsAtOnce)
  const { numDeletedRows } = await database
    .deleteFrom('deliveries')
    .where((eb) => eb(eb.refTuple('organization', 'id'), 'in', old.$asTuple('organization', 'id')))
    .executeTakeFirst()
  return Number(numDeletedRows)
}

async function forgetEvents(database: Database, before: number): Promise<number> {
  const old = database
    .selectFrom('outbox')
    .select(['organization', 'id'])
    .where('created_at', '<', before)
    .where('dispatched_at', 'is not', null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('deliveries')
            .select('deliveries.id')
            .whereRef('deliveries.organization', '=', 'outbox.organization')
            .whereRef('deliveries.event', '=', 'outbox.id'),
        ),
      ),
    )
    .orderBy('created_at')
    .limit(rowsAtOnce)
  const { numDeletedRows } = await database
    .deleteFrom('outbox')
    .where((eb) => eb(eb.refTuple('organization', 'id'), 'in', old.$asTuple('organization', 'id')))
    .executeTakeFirst()
  return Number(numDeletedRows)
}
