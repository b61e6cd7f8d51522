import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { lineMsMax } from './line.ts'
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
  readonly atHand?: readonly Pick<Outgoing, 'id' | 'network'>[]
  /** So many rows of one network are at hand at a time: usually as many as are asked for. */
  readonly networkMax?: number
}

/** So many rows are chosen from. Those of networks that have all they may have are not among them. */
const lookedAtMax = 64

/**
 * Takes rows that are due and that nobody has: of each network the longest due first, and of the
 * networks first those that have the fewest rows at hand.
 */
export async function leaseRows(
  database: Database,
  count: number,
  now: number,
  { leaseMs: lasting = leaseMs, atHand = [], networkMax = count }: Taking = {},
): Promise<readonly Outgoing[]> {
  const taken = Map.groupBy(atHand, ({ network }) => network)
  const [present, counts] = [[...taken.keys()], [...taken.values()].map(({ length }) => length)]
  const open = present.filter((_, i) => (counts[i] ?? 0) < networkMax)
  const due = sql`due_at <= ${now} and lease_until < ${now}`
  // However much is due of those that have some, whoever has none is seen.
  const { rows } = await sql<Outgoing>`
    with due as (
      (select organization, id, network, due_at from outgoing
        where ${due} and network <> all(${present}::text[])
        order by due_at, id limit ${lookedAtMax})
      union all
      (select organization, id, network, due_at from outgoing
        where ${due} and network = any(${open}::text[])
          and id <> all(${atHand.map(({ id }) => id)}::bytea[])
        order by due_at, id limit ${lookedAtMax})
    ), placed as (
      select organization, id, due_at, coalesce(taken.count, 0)
        + row_number() over (partition by network order by due_at, id) as place
      from due left join unnest(${present}::text[], ${counts}::int4[]) taken (network, count)
        using (network)
    )
    update outgoing set lease_holder = ${randomUUID()}, lease_until = ${now + lasting}
    where (organization, id) in (
        select organization, id from placed where place <= ${networkMax}
        order by place, due_at, id limit ${count})
      -- Two that chose the same rows: the second waits for the first, looks again, and has fewer.
      and ${due}
    returning *`.execute(database)
  return rows
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

/** Four times as long as the longest that any row waits for, unless it stands in line. */
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
      eb.or([
        eb('lease_until', '>', now + dueMsMax),
        eb('due_at', '>', now + dueMsMax + lineMsMax),
        eb('due_at', '>', now + dueMsMax).and('state', '!=', 'requested'),
      ]),
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
