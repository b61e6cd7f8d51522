import { randomUUID } from 'node:crypto'
import { type ExpressionBuilder, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { sendMsMax } from './send.ts'
import type { Delivery } from './tables.ts'

/** Longer than an attempt, so that another worker makes again only what a dead one has left. */
export const leaseMs = sendMsMax + 5_000

export type Ask = {
  readonly count: number
  /** Organizations whose receivers have enough to do. */
  readonly busy?: readonly Uint8Array[]
  readonly now: number
}

/**
 * Takes attempts that are due and that nobody has, the longest due first. The first attempt of an
 * event waits until there was one of every earlier event of its subject, whatever came of it.
 */
export async function leaseDeliveries(database: Database, ask: Ask): Promise<readonly Delivery[]> {
  const { count, now } = ask
  await park(database, ask)
  const due = foremost(database, ask)
    .where((eb) => eb.not(isBehind(eb)))
    .orderBy('due_at')
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

/** Looked through at once. What waits among them is put aside, so that others come to be among them. */
const windowRows = 1_000

function foremost(database: Database, { busy = [], now }: Pick<Ask, 'busy' | 'now'>) {
  return database
    .selectFrom((eb) =>
      eb
        .selectFrom('deliveries')
        .selectAll()
        .where('due_at', '<=', now)
        .where('lease_until', '<', now)
        .where((at) => (busy.length === 0 ? at.lit(true) : at('organization', 'not in', busy)))
        .orderBy('due_at')
        .limit(windowRows)
        .as('deliveries'),
    )
    .select(['organization', 'id'])
}

/** Is there an event of its subject before it that nobody has tried to tell of? */
function isBehind(eb: ExpressionBuilder<Tables, 'deliveries'>) {
  return eb.and([
    eb('attempt', '=', 1),
    eb('subject', 'is not', null),
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
  ])
}

/** Whoever died before he could call the next one holds it up for so long. */
export const parkMs = 5 * 60_000

/**
 * Puts aside what waits for another one: ten thousand events of a wallet whose receiver is slow would
 * otherwise be looked through each time, before anybody else's.
 */
async function park(database: Database, ask: Ask): Promise<void> {
  const behind = foremost(database, ask).where((eb) => isBehind(eb))
  await database
    .updateTable('deliveries')
    .set({ due_at: ask.now + parkMs })
    .where((eb) =>
      eb(eb.refTuple('organization', 'id'), 'in', behind.$asTuple('organization', 'id')),
    )
    .where('due_at', '<=', ask.now)
    .where('lease_until', '<', ask.now)
    // Looked at again in the row itself, if somebody has called it meanwhile.
    .where('called', '=', false)
    .execute()
}

/**
 * The next event of the subject is due now. After the attempt before it was noted, not with it: then
 * whoever takes it for one that waits finds it called, or is found to have put it aside.
 */
export async function callNext(
  database: Database,
  { organization, webhook, subject, event }: Delivery,
  now: number,
): Promise<void> {
  if (subject === null) return
  const next = database
    .selectFrom('deliveries')
    .select(['organization', 'id'])
    .where('organization', '=', organization)
    .where('webhook', '=', webhook)
    .where('subject', '=', subject)
    .where('event', '>', event)
    .where('attempt', '=', sql.lit(1))
    .where('due_at', 'is not', null)
    .orderBy('event')
    .limit(1)
  await database
    .updateTable('deliveries')
    .set((eb) => ({ called: true, due_at: eb.fn<number>('least', ['due_at', eb.val(now)]) }))
    .where((eb) => eb(eb.refTuple('organization', 'id'), 'in', next.$asTuple('organization', 'id')))
    .where('due_at', 'is not', null)
    .execute()
}
