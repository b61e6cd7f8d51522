import { randomUUID } from 'node:crypto'
import { sql, type SqlBool } from 'kysely'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import { sendMsMax } from './send.ts'
import type { Delivery } from './tables.ts'

/** Longer than an attempt, so that another worker makes again only what a dead one has left. */
export const leaseMs = sendMsMax + 5_000

/** Looked at in one turn. From more of them, the next turn goes on where this one ended. */
export const webhooksAtOnce = 512

export type Place = { readonly organization: Uint8Array; readonly webhook: Uint8Array }

/** A webhook that something could be sent to this moment. */
export type Waiting = Place & {
  /** What came of the attempt that was made last; nothing if there was none. */
  readonly latest: string | null
}

/**
 * In the order of their ids, after `past`. Each costs two looks into an index, however much waits for
 * it: from one webhook the search goes to the next, past all that is ready for the first.
 */
export async function findWaiting(
  database: Database,
  past: Uint8Array = new Uint8Array(),
): Promise<readonly Waiting[]> {
  const { rows } = await sql<Waiting>`
    with recursive waiting (organization, webhook, number) as (
      (select organization, webhook, 1 from deliveries
        where ready and webhook > ${past} order by webhook limit 1)
      union all
      select next.organization, next.webhook, number + 1 from waiting cross join lateral (
        select organization, webhook from deliveries
        where ready and webhook > waiting.webhook order by webhook limit 1) next
      where number < ${webhooksAtOnce}
    )
    select organization, webhook, (
      select status from deliveries
      where deliveries.organization = waiting.organization
        and deliveries.webhook = waiting.webhook and sent_at is not null
      order by sent_at desc, id desc limit 1) latest
    from waiting order by webhook`.execute(database)
  return rows
}

export type Want = Place & { readonly count: number }

/**
 * Takes attempts that are ready, of each webhook those that have been so for longest. What another
 * server is about to take is passed over, so that nobody waits here for anybody.
 */
export async function leaseDeliveries(
  database: Database,
  wants: readonly Want[],
  now: number,
): Promise<readonly Delivery[]> {
  // By webhook alone, of which no two organizations have one with the same id, and then by where the
  // rows lie: with more to go by, PostgreSQL may choose to read all that an organization has.
  const { rows } = await sql<Delivery>`
    update deliveries
    set ready = false, lease_holder = ${randomUUID()}, due_at = ${now + leaseMs}
    where ctid = any(array(
      select chosen.place from unnest(
        ${wants.map((want) => want.webhook)}::bytea[],
        ${wants.map((want) => want.count)}::int4[]) want (webhook, count)
      cross join lateral (
        select ctid as place from deliveries
        where ready and webhook = want.webhook and not ${isBehind}
        order by due_at, event limit want.count for update skip locked) chosen))
    returning *`.execute(database)
  return rows
}

/**
 * Is there an event of its subject before it that nobody has tried to tell of? Of what is ready, only
 * when that one was dispatched later: servers whose clocks differ, or transactions that overlapped.
 */
const isBehind = sql<SqlBool>`(attempt = 1 and subject is not null and event > (
  select first.event from deliveries first
  where first.organization = deliveries.organization and first.webhook = deliveries.webhook
    and first.subject = deliveries.subject and first.attempt = 1 and first.due_at is not null
  order by first.event limit 1))`

/** Of one statement: none holds others up for long. */
export const wokenAtOnce = 512

/**
 * Later attempts whose time has come are ready, and those that somebody took and never noted.
 *
 * @returns how many there were
 */
export async function wakeDeliveries(database: Database, now: number): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    update deliveries set ready = true, lease_holder = null
    where ctid = any(array(
      select ctid from deliveries
      where due_at is not null and not ready and (attempt > 1 or lease_holder is not null)
        and due_at <= ${now}
      order by due_at limit ${wokenAtOnce} for update skip locked))`.execute(database)
  return Number(numAffectedRows)
}

/** Whose events one webhook hears one after the other. */
export type Line = Place & { readonly subject: string }

/** In the subject of what strangers have moved, and in no other one. */
export const strangersMark = '/'
/** That lets everything else go first which comes about within this time. */
const strangersMs = 10 * 60_000

/** Of what is ready, the earliest goes first. */
export function dueAt(subject: string | null, now: number): number {
  return subject?.includes(strangersMark) === true ? now + strangersMs : now
}

/**
 * The first event of each that is still to be told of is ready, unless somebody has it. It has its
 * turn from now on: a long line takes turns with the others, though all of it is old.
 */
export async function callFirst(
  transaction: DatabaseTransaction,
  lines: readonly Line[],
  now: number,
): Promise<void> {
  await sql`
    update deliveries
    set ready = true,
      due_at = case when subject like ${`%${strangersMark}%`} then ${dueAt(strangersMark, now)}::int8
        else ${now}::int8 end
    where ctid = any(array(
      select first.place from unnest(
        ${lines.map(({ organization }) => organization)}::bytea[],
        ${lines.map(({ webhook }) => webhook)}::bytea[],
        ${lines.map(({ subject }) => subject)}::text[]) line (organization, webhook, subject)
      cross join lateral (
        select ctid as place, ready, lease_holder from deliveries
        where organization = line.organization and webhook = line.webhook
          and subject = line.subject and attempt = 1 and due_at is not null
        order by event limit 1) first
      where not first.ready and first.lease_holder is null))`.execute(transaction)
}

/**
 * Whoever adds to the lines of a webhook, or ends what is first in one, has the webhook's row for
 * himself meanwhile: nothing is added unseen between the end of one event and the look for the next.
 */
export async function lockLines(
  transaction: DatabaseTransaction,
  { organization, webhook }: Place,
): Promise<void> {
  await transaction
    .selectFrom('webhooks')
    .select('id')
    .where('organization', '=', organization)
    .where('id', '=', webhook)
    .forUpdate()
    .execute()
}
