import type { ExpressionBuilder, ExpressionWrapper, SqlBool } from 'kysely'
import type { Tables } from '../database/tables.ts'
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
