import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Outgoing } from './tables.ts'

/**
 * After it, another worker may take the row, unless whoever has it still says that he works on it. What
 * one writes that has lost it comes to nothing: it names the lease it had.
 */
export const leaseMs = 10_000

export type Taking = {
  /** How long the leases last that are taken. */
  readonly leaseMs?: number
  /** Whoever has these at hand takes none of them a second time, whatever has become of its leases. */
  readonly atHand?: readonly Outgoing[]
}

/** Takes rows that are due and that nobody has, the longest due first. */
export async function leaseRows(
  database: Database,
  count: number,
  now: number,
  { leaseMs: lasting = leaseMs, atHand = [] }: Taking = {},
): Promise<readonly Outgoing[]> {
  const ids = atHand.map(({ id }) => id)
  const due = database
    .selectFrom('outgoing')
    .select(['organization', 'id'])
    .where('due_at', '<=', now)
    .where('lease_until', '<', now)
    .$if(ids.length > 0, (query) => query.where('id', 'not in', ids))
    .orderBy('due_at')
    .orderBy('id')
    .limit(count)
  // Two that chose the same rows: the second one waits for the first, looks again, and has fewer.
  return database
    .updateTable('outgoing')
    .set({ lease_holder: randomUUID(), lease_until: now + lasting })
    .where((eb) => eb(eb.refTuple('organization', 'id'), 'in', due.$asTuple('organization', 'id')))
    .where('due_at', '<=', now)
    .where('lease_until', '<', now)
    .returningAll()
    .execute()
}

/**
 * Makes a row wait, and says why to whoever looks at it. Whoever was called since it was leased does
 * not wait: the call may be of what it has just looked for in vain.
 *
 * @returns nothing is written, and false, when somebody else has the row by now
 */
export async function postpone(
  database: Database,
  row: Outgoing,
  until: {
    readonly dueAt: number
    readonly waiting: string | null
    readonly refusedAt: number | null
    readonly attempts: number
  },
): Promise<boolean> {
  const { numUpdatedRows } = await database
    .updateTable('outgoing')
    .set({
      due_at: sql<number>`case when due_at = ${row.due_at} then ${until.dueAt}::int8 else due_at end`,
      waiting: until.waiting,
      refused_at: until.refusedAt,
      attempts: until.attempts,
      lease_holder: null,
      lease_until: 0,
    })
    .where('organization', '=', row.organization)
    .where('id', '=', row.id)
    .where('state', '=', row.state)
    .where('lease_holder', '=', row.lease_holder)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Four times as long as the longest that any row waits for. */
const dueMsMax = 60_000

/**
 * Rows that a server whose clock was ahead has put off, or taken, until a time that is far from here.
 * Only for whoever knows that it is later nowhere.
 */
export async function recallRows(database: Database, now: number): Promise<void> {
  await database
    .updateTable('outgoing')
    .set({ due_at: now, lease_until: 0 })
    .where('due_at', 'is not', null)
    .where((eb) =>
      eb.or([eb('due_at', '>', now + dueMsMax), eb('lease_until', '>', now + dueMsMax)]),
    )
    .execute()
}

/** For a row that there is nothing left to do for: whoever has to, finds it free. */
export async function giveBack(database: Database, row: Outgoing): Promise<void> {
  await database
    .updateTable('outgoing')
    .set({ lease_holder: null, lease_until: 0 })
    .where('organization', '=', row.organization)
    .where('id', '=', row.id)
    .where('lease_holder', '=', row.lease_holder)
    .execute()
}
