import { sql } from 'kysely'
import { isFailure } from '@quorate/core/failure'
import type { Database } from '../database/database.ts'

export type Question = {
  readonly network: string
  readonly contract: string
  /** Milliseconds. */
  readonly now: number
}

/** Twice as long with each refusal: what a node never says costs a question an hour. */
const [waitMsMin, waitMsMax] = [15_000, 60 * 60_000]

/**
 * What a contract says, be it that it refuses to. Where it is the node that refuses, nothing is known of the
 * contract: it has its turn again later, and keeps no other one waiting.
 * @returns nothing then
 * @throws Failure `chain.unavailable`
 */
export async function answerTo<T>(
  database: Database,
  question: Question,
  asked: Promise<T>,
): Promise<{ readonly said: T } | undefined> {
  const { network, contract } = question
  try {
    const said = await asked
    await database
      .deleteFrom('unanswered_tokens')
      .where('network', '=', network)
      .where('contract', '=', contract)
      .execute()
    return { said }
  } catch (error) {
    if (!isFailure(error, 'chain.refused')) throw error
    await postpone(database, question)
    return undefined
  }
}

/** One follower of a chain asks at a time, so that nobody else counts meanwhile. */
async function postpone(database: Database, { network, contract, now }: Question): Promise<void> {
  const before = await database
    .selectFrom('unanswered_tokens')
    .select('attempts')
    .where('network', '=', network)
    .where('contract', '=', contract)
    .executeTakeFirst()
  const again = nextTurn(before?.attempts ?? 0, now)
  await database
    .insertInto('unanswered_tokens')
    .values({ network, contract, ...again })
    .onConflict((conflict) => conflict.columns(['network', 'contract']).doUpdateSet(again))
    .execute()
}

/** Of what was asked so often in vain before. */
export function nextTurn(attempts: number, now: number) {
  return { due_at: now + Math.min(waitMsMin * 2 ** attempts, waitMsMax), attempts: attempts + 1 }
}

/** Of a row with a network and a contract: has it its turn? */
export function isDue(table: 'token_words' | 'listed_assets', now: number) {
  return sql<boolean>`not exists (select 1 from unanswered_tokens
    where unanswered_tokens.network = ${sql.ref(`${table}.network`)}
      and unanswered_tokens.contract = ${sql.ref(`${table}.contract`)} and due_at > ${now})`
}
