import { sql, type ExpressionBuilder, type ExpressionWrapper, type SqlBool } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { atTheDesk } from './lifecycle.ts'
import type { Outgoing } from './tables.ts'

/** What is said to whoever stands in line for the next slot of his address. */
export const inLine = {
  desk: 'another one of this wallet comes first',
  pool: 'as many of this wallet wait for a block as a node keeps of one account',
} as const

/**
 * Some blocks: neither fees nor balances change faster, and whatever else keeps a request from the desk
 * may last as long as its time.
 */
export const standBackMs = 5_000

/**
 * It has been at the desk in vain, and has its own word for why. Until it has been there again nobody
 * calls it, and it does not stand in line: it would go before the younger ones each time.
 */
export function standsBack({ attempts, waiting }: Outgoing): boolean {
  return attempts === 0 && waiting !== null
}

/** Thousands may stand in line, and each of them looks only so often: a second for each that is before it. */
const placeMs = 1_000
export const lineMsMax = 300_000

export type Place = {
  readonly isDeskTaken: boolean
  /** How many older ones stand in line: up to a limit. */
  readonly inLine: number
  /** At least how long it takes until it has its turn, unless somebody calls it. */
  readonly leastMs: number
}

/** Where a row stands that waits for the next slot of its address. */
export async function placeOf(database: Database, row: Outgoing): Promise<Place> {
  const { network, address, created_at } = row
  const found = await sql<{ isDeskTaken: boolean; inLine: number; before: number }>`
    select count(*)::int4 as before,
      (count(*) filter (where waiting is null or waiting = any(${Object.values(inLine)})))::int4
        as "inLine",
      exists (select from outgoing where network = ${network} and address = ${address}
        and state = any(${[...atTheDesk]}) and not names_slot
        -- What a sponsor pays for has none, and takes none.
        and slot is not null) as "isDeskTaken"
    from (select waiting from outgoing
      where network = ${network} and address = ${address} and state = 'requested'
        and created_at < ${created_at} and not names_slot
        and (fee_sponsor is null or kind = 'sponsorship')
      limit ${lineMsMax / placeMs}) older`.execute(database)
  const { before = 0, ...place } = found.rows[0] ?? { isDeskTaken: false, inLine: 0 }
  return { ...place, leastMs: before * placeMs }
}

/** Whoever may be called: rows that have not looked yet, or have found that others were first. */
export function stand(
  eb: ExpressionBuilder<Tables, 'outgoing'>,
): ExpressionWrapper<Tables, 'outgoing', SqlBool> {
  return eb.and([
    eb('state', '=', 'requested'),
    // What names its slot waits for no other, and what is sponsored has none.
    eb('names_slot', '=', false),
    eb.or([eb('fee_sponsor', 'is', null), eb('kind', '=', 'sponsorship')]),
    eb.or([eb('waiting', 'is', null), eb('waiting', 'in', Object.values(inLine))]),
  ])
}
