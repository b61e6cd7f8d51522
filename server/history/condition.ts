import type { Database } from '../database/database.ts'
import type { ChainCondition } from './tables.ts'

const texts: Readonly<Record<ChainCondition, string>> = {
  younger: 'the chain is younger than our database: its node was reset, or lags far behind',
  'too-deep': 'every block we hold is gone from the chain: a reorganization past all limits',
}

export function conditionText(condition: ChainCondition): string {
  return texts[condition]
}

/** Why nothing may be judged by a chain, if so. While it lasts, whatever is under way waits. */
export async function conditionOf(
  database: Database,
  network: string,
): Promise<
  { readonly name: ChainCondition; readonly text: string; readonly since: number } | undefined
> {
  const head = await database
    .selectFrom('chain_heads')
    .select(['condition', 'condition_since'])
    .where('network', '=', network)
    .executeTakeFirst()
  if (head?.condition === undefined || head.condition === null) return undefined
  return {
    name: head.condition,
    text: conditionText(head.condition),
    since: head.condition_since ?? 0,
  }
}
