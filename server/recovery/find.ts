import { toUtf8 } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { hashOf } from '@quorate/core/hash'
import { recoveryTable } from '@quorate/authority/records'
import { countAttempt, nowhere, type Limit } from '../auth/attempts.ts'
import { readRoot, type Log, type Root } from '../auth/log.ts'
import { inTransaction, type Database } from '../database/database.ts'

export type FindDeps = {
  readonly database: Database
  readonly log: Pick<Log, 'read'>
  readonly now: () => number
}

/** A page that waits asks every few seconds. */
const asking: Limit = { attemptsMax: 120, windowMs: 60_000 }
/** Of all unknown ids together: an id has 130 bits, so this bounds the work and not the chance. */
const guessing: Limit = { attemptsMax: 1000, windowMs: 60_000 }

/**
 * To whoever knows its id, which stands in the notice and in the answer to who began it. Whose it is
 * stays unsaid.
 *
 * @throws Failure `recovery.not_found`, `attempts.exceeded`
 */
export async function shownRecovery(deps: FindDeps, recoveryId: string) {
  const { database, log, now } = deps
  const row = await rowNamed(database, recoveryId)
  const subject = hashOf('quorate/attempt/1', toUtf8('recovery'), row?.id ?? nowhere)
  const organization = row?.organization ?? nowhere
  const limit = row === undefined ? guessing : asking
  await inTransaction(database, (transaction) =>
    countAttempt(transaction, { organization, subject, limit, now: now() }),
  )
  if (row === undefined) throw new Failure('recovery.not_found', { recoveryId })
  return readRoot(log, row.organization, (root) => recoveryOf(root, row, now()))
}

export async function rowNamed(database: Database, recoveryId: string) {
  return database
    .selectFrom('recoveries')
    .select(['organization', 'id', 'recovery_id', 'user', 'created_at', 'effective_at'])
    .where('recovery_id', '=', recoveryId)
    .executeTakeFirst()
}
export type RecoveryRow = NonNullable<Awaited<ReturnType<typeof rowNamed>>>

export function recoveryOf(root: Root, row: RecoveryRow, now: number) {
  const isCancelled = root.find(recoveryTable, row.id)?.status === 'cancelled'
  const standing = now < row.effective_at ? 'Waiting' : 'Effective'
  return {
    id: row.recovery_id,
    status: isCancelled ? 'Cancelled' : standing,
    effectiveAt: new Date(row.effective_at).toISOString(),
    dateCreated: new Date(row.created_at).toISOString(),
  } as const
}
