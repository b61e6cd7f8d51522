import { randomUUID } from 'node:crypto'
import type { Database } from '../database/database.ts'
import { sendMsMax } from './send.ts'
import type { Delivery } from './tables.ts'

/** Longer than an attempt, so that another worker makes again only what a dead one has left. */
export const leaseMs = sendMsMax + 5_000

/**
 * Takes attempts that are due and that nobody has, the longest due first. The first attempt of an
 * event waits until there was one of every earlier event of its subject, whatever came of it.
 *
 * @param busy organizations whose receivers have enough to do
 */
export async function leaseDeliveries(
  database: Database,
  { count, busy = [], now }: { count: number; busy?: readonly Uint8Array[]; now: number },
): Promise<readonly Delivery[]> {
  const due = database
    .selectFrom('deliveries')
    .select(['organization', 'id'])
    .where('due_at', '<=', now)
    .where('lease_until', '<', now)
    .where((eb) => (busy.length === 0 ? eb.lit(true) : eb('organization', 'not in', busy)))
    .where((eb) =>
      eb.or([
        eb('attempt', '>', 1),
        eb('subject', 'is', null),
        eb.not(
          eb.exists(
            eb
              .selectFrom('deliveries as earlier')
              .select('earlier.id')
              .whereRef('earlier.organization', '=', 'deliveries.organization')
              .whereRef('earlier.webhook', '=', 'deliveries.webhook')
              .whereRef('earlier.subject', '=', 'deliveries.subject')
              .whereRef('earlier.event', '<', 'deliveries.event')
              // Literal, as in the index.
              .where('earlier.attempt', '=', eb.lit(1))
              .where('earlier.due_at', 'is not', null),
          ),
        ),
      ]),
    )
    .orderBy('due_at')
    .orderBy('event')
    .limit(count)
  // Two that chose the same rows: the second one waits for the first, looks again, and has fewer.
  return database
    .updateTable('deliveries')
    .set({ lease_holder: randomUUID(), lease_until: now + leaseMs })
    .where((eb) => eb(eb.refTuple('organization', 'id'), 'in', due.$asTuple('organization', 'id')))
    .where('due_at', '<=', now)
    .where('lease_until', '<', now)
    .returningAll()
    .execute()
}
