import { sql } from 'kysely'
import { toHex } from '@quorate/core/bytes'
import { nameOf } from '@quorate/core/id'
import type { Database } from '../database/database.ts'
import type { Attempted } from './deliver.ts'
import type { Delivery } from './tables.ts'

/** Of what is sent to a webhook, what operators read in the log. No URL: it may hold a secret. */
export type Report = {
  /** What came of an attempt. An event whose last one has failed is told of with the next report. */
  note(row: Delivery, attempted: Attempted): void
  /** Writes what there is, when it is time for that. */
  turn(): Promise<void>
  /** What would have been in the next report, without a look at the database. */
  end(): void
}

export type ReportDeps = {
  readonly database: Database
  readonly now: () => number
  readonly log: { readonly info: Write; readonly warn: Write }
}
export type Write = (context: object, message: string) => void

/** Of one server; the first one is made when it starts. */
export const reportMs = 30 * 60_000
/** A webhook that has received nothing for so long is told of in each report. */
export const failingMs = 60 * 60_000
/** Told of by name, those that have failed for longest. */
export const failingMax = 100
/** Counted to; whoever has more waiting knows enough. */
export const waitingMax = 100_000

export function openReport({ database, now, log }: ReportDeps): Report {
  const lost = new Map<string, Lost>()
  let reportedAt = 0

  function tellLost(): void {
    for (const one of lost.values())
      log.warn(one, 'events were given up: their last attempt failed')
    lost.clear()
  }

  return {
    note: (row, attempted) => {
      if (attempted.came !== 'lost') return
      const named = namesOf(row)
      const events = (lost.get(named.webhook)?.events ?? 0) + 1
      lost.set(named.webhook, { ...named, events, status: attempted.status })
    },
    turn: async () => {
      if (now() - reportedAt < reportMs) return
      reportedAt = now()
      tellLost()
      for (const { failing_since, ...one } of await findFailing(database, now()))
        log.warn(
          { ...namesOf(one), since: new Date(failing_since).toISOString() },
          'a webhook has received nothing for long',
        )
      const waiting = await countWaiting(database)
      if (waiting > 0) log.info({ waiting }, 'attempts to tell of events are still to come')
    },
    end: tellLost,
  }
}

type Lost = {
  readonly organization: string
  readonly webhook: string
  /** Since the last report. */
  readonly events: number
  /** Of the last one: an HTTP status, or a word why there was none. */
  readonly status: string
}

type Failing = Pick<Delivery, 'organization' | 'webhook'> & { readonly failing_since: number }

async function findFailing(database: Database, now: number): Promise<readonly Failing[]> {
  return database
    .selectFrom('webhooks')
    .select(['organization', 'id as webhook', 'failing_since'])
    .where('status', '=', 'Enabled')
    .where('failing_since', '<=', now - failingMs)
    .orderBy('failing_since')
    .limit(failingMax)
    .$narrowType<{ failing_since: number }>()
    .execute()
}

async function countWaiting(database: Database): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int4 as count from (
      select from deliveries where due_at is not null limit ${waitingMax}) waiting`.execute(
    database,
  )
  return rows[0]?.count ?? 0
}

function namesOf({ organization, webhook }: Pick<Delivery, 'organization' | 'webhook'>) {
  return { organization: toHex(organization), webhook: nameOf('webhook', webhook) }
}
