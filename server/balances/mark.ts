import type { DatabaseTransaction } from '../database/database.ts'
import type { Due } from './due.ts'
import { setHeld } from './totals.ts'
import type { Place } from './watch.ts'

/** Nothing else is known of it to have changed, so that it is only looked at now and then. */
const nativeMs = 10 * 60_000
/** Where nothing else tells of what contracts pay on. */
const nativeUntracedMs = 60_000
const tokenMs = 24 * 60 * 60_000
/** A node that has forgotten what is asked for is not asked every minute. */
const [troubledMsMin, troubledMsMax] = [60_000, 60 * 60_000]

export type Mark = {
  readonly at: Place
  readonly balance: bigint
  readonly unexplained?: bigint
  /** When to look again; at once if nothing is said. */
  readonly dueAt?: number
}

/** Up to here, history and the chain are at one. */
export async function setMark(
  transaction: DatabaseTransaction,
  row: Due,
  { at, balance, unexplained, dueAt }: Mark,
): Promise<void> {
  const set = await rowOf(transaction, row)
    .set({ block_number: at.number, block_hash: at.hash, balance: balance.toString() })
    .set({ due_at: dueAt ?? 0, attempts: 0 })
    .set(unexplained === undefined ? {} : { unexplained: unexplained.toString() })
    .executeTakeFirst()
  if (set.numUpdatedRows === 1n) await setHeld(transaction, row, balance)
}

export async function postpone(
  transaction: DatabaseTransaction,
  row: Due,
  now: number,
): Promise<void> {
  const waitMs = Math.min(troubledMsMin * 2 ** row.attempts, troubledMsMax)
  await rowOf(transaction, row)
    .set({ due_at: now + waitMs, attempts: row.attempts + 1 })
    .execute()
}

export function nextLook({ kind }: Due, now: number, isUntraced: boolean): number {
  if (kind !== 'Native') return now + tokenMs
  return now + (isUntraced ? nativeUntracedMs : nativeMs)
}

/** As it was read: a reorganization may have set it back meanwhile. */
function rowOf(transaction: DatabaseTransaction, row: Due) {
  return transaction
    .updateTable('balances')
    .where('organization', '=', row.organization)
    .where('wallet', '=', row.wallet)
    .where('kind', '=', row.kind)
    .where('contract', '=', row.contract)
    .where('token_id', '=', row.token_id)
    .where('block_number', '=', row.block_number)
    .where('block_hash', '=', row.block_hash)
    .where('balance', 'is not distinct from', row.balance)
}
