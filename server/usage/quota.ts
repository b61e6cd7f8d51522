import { type RawBuilder, sql } from 'kysely'
import { Failure } from '@quorate/core/failure'
import type { Database, DatabaseTransaction } from '../database/database.ts'

/** The rows of migration 0121, by hand. */
export type UsageTables = {
  readonly signature_usage: {
    readonly organization: Uint8Array
    /** Such as `2026-11`. */
    readonly month: string
    readonly used: number
  }
}

export type Usage = {
  readonly month: string
  readonly used: number
  /** Absent: there is none. */
  readonly limit: number | undefined
  /** When the next month begins. */
  readonly resetsAt: number
}

/** What an organization may ask to have signed in a calendar month, UTC. */
export type Quota = {
  readonly limit: number | undefined
  /**
   * Counts one more request, in the transaction that writes it down: whoever does so at once waits for
   * the row, so that no two are the last one.
   * @throws Failure `quota.exceeded`
   */
  readonly claim: (
    transaction: DatabaseTransaction,
    organization: Uint8Array,
    at: number,
  ) => Promise<void>
  readonly read: (database: Database, organization: Uint8Array, at: number) => Promise<Usage>
}

type Month = { readonly name: string; readonly from: number; readonly until: number }

/** @param limit absent: everything may be asked for, and nobody counts until somebody wants to know */
export function openQuota(limit: number | undefined): Quota {
  return {
    limit,
    claim: async (transaction, organization, at) => {
      if (limit === undefined) return
      const month = monthOf(at)
      if (await countOne(transaction, organization, { month, limit })) return
      await begin(transaction, organization, month)
      if (!(await countOne(transaction, organization, { month, limit })))
        throw new Failure('quota.exceeded', { limit, month: month.name })
    },
    read: async (database, organization, at) => {
      const month = monthOf(at)
      const { name, until: resetsAt } = month
      return { month: name, used: await usedIn(database, organization, month), limit, resetsAt }
    },
  }
}

/**
 * For the start of a server: a count that stood still while there was no limit begins anew, from the
 * rows. Whoever holds it is waited for, so that none of his is lost.
 */
export async function recount(database: Database, at: number): Promise<void> {
  await database.deleteFrom('signature_usage').where('month', '=', monthOf(at).name).execute()
}

async function countOne(
  transaction: DatabaseTransaction,
  organization: Uint8Array,
  { month, limit }: { readonly month: Month; readonly limit: number },
): Promise<boolean> {
  const counted = await transaction
    .updateTable('signature_usage')
    .set((eb) => ({ used: eb('used', '+', 1) }))
    .where('organization', '=', organization)
    .where('month', '=', month.name)
    .where('used', '<', limit)
    .executeTakeFirst()
  return counted.numUpdatedRows === 1n
}

async function begin(
  transaction: DatabaseTransaction,
  organization: Uint8Array,
  month: Month,
): Promise<void> {
  await sql`
    insert into signature_usage (organization, month, used)
    select ${organization}, ${month.name}, ${countOf(organization, month)}
    on conflict do nothing`.execute(transaction)
}

async function usedIn(database: Database, organization: Uint8Array, month: Month): Promise<number> {
  const { rows } = await sql<{ used: number }>`
    select ${countOf(organization, month)} as used`.execute(database)
  return Number(rows[0]?.used ?? 0)
}

function countOf(organization: Uint8Array, { from, until }: Month): RawBuilder<unknown> {
  return sql`(
    (select count(*) from outgoing where organization = ${organization}
      and created_at >= ${from}::int8 and created_at < ${until}::int8
      -- What a sponsor sends for one is part of it.
      and sponsored is null)
    + (select count(*) from signature_requests where organization = ${organization}
      and requested_at >= ${from}::int8 and requested_at < ${until}::int8))`
}

function monthOf(at: number): Month {
  const date = new Date(at)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  return {
    name: date.toISOString().slice(0, 7),
    from: Date.UTC(year, month),
    until: Date.UTC(year, month + 1),
  }
}
