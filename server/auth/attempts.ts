import { Failure } from '@quorate/core/failure'
import type { DatabaseTransaction } from '../database/database.ts'

/** Of something that was tried of no organization. */
export const nowhere = new Uint8Array(32)

export type Limit = { readonly attemptsMax: number; readonly windowMs: number }

/** The longest window of any limit: what is older counts for nothing. */
export const windowMsMax = 15 * 60_000

/**
 * Counts one attempt at something, in a row, so that several servers count together. Names that
 * nobody bears are counted like all others.
 *
 * @throws Failure `attempts.exceeded` when the window is full; nothing more is counted then
 */
export async function countAttempt(
  transaction: DatabaseTransaction,
  asked: {
    readonly organization: Uint8Array
    readonly subject: Uint8Array
    readonly limit: Limit
    readonly now: number
  },
): Promise<void> {
  const { organization, subject, limit, now } = asked
  // Rows of names that somebody made up must not stay.
  await transaction
    .deleteFrom('attempts')
    .where('began_at', '<=', now - windowMsMax)
    .execute()
  await transaction
    .insertInto('attempts')
    .values({ organization, subject, began_at: now, count: 0 })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const row = await transaction
    .selectFrom('attempts')
    .select(['began_at', 'count'])
    .where('organization', '=', organization)
    .where('subject', '=', subject)
    .forUpdate()
    .executeTakeFirstOrThrow()
  const isOver = now - row.began_at >= limit.windowMs
  const counted = isOver ? { began_at: now, count: 0 } : row
  if (counted.count >= limit.attemptsMax) {
    const retryAfterSeconds = Math.ceil((counted.began_at + limit.windowMs - now) / 1000)
    throw new Failure('attempts.exceeded', { retryAfterSeconds })
  }
  await transaction
    .updateTable('attempts')
    .set({ began_at: counted.began_at, count: counted.count + 1 })
    .where('organization', '=', organization)
    .where('subject', '=', subject)
    .execute()
}
