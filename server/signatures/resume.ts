import { isFailure } from '@quorate/core/failure'
import { startLoop, type Loop } from '../work/loop.ts'
import type { SignatureRow } from './entity.ts'
import { execute, type ExecuteDeps } from './execute.ts'

type Report = (error: unknown, signatureId: string) => void

/** As many at one start: each takes the signers a few milliseconds. */
const resumedMax = 1000

/** For the start of a server: what an earlier one has left open. */
export async function resumeSignatures(deps: ExecuteDeps, report: Report): Promise<void> {
  const rows = await deps.database
    .selectFrom('signature_requests')
    .selectAll()
    .where('status', '=', 'Executing')
    .orderBy('requested_at')
    .limit(resumedMax)
    .execute()
  for (const row of rows)
    await execute(deps, row).catch((error: unknown) => report(error, row.signature_id))
}

/**
 * Longer than anybody waits for signers: a minute until they have agreed, and four in which they sign.
 * Earlier, a row is most likely at work. Half of the ten minutes are left in which signers may agree.
 */
export const stillMs = 5 * 60_000
/** From the end of one round to the next. */
const roundMs = 60_000
/** The database is gone, or so it seems. */
const troubledMs = 2_000

/**
 * Has signed, or ended, what was asked for and answered with 503, and nobody has asked for since. Other
 * servers may do the same at once.
 */
export function startSignatureWorker({ report, ...deps }: ExecuteDeps & Reporting): Loop {
  return startLoop({
    turn: openRounds(deps, waitingIn(report)),
    onError: (err) => report.error({ err }, 'no signature could be looked for'),
    troubledMs,
  })
}

type Said = (context: object, message: string) => void
type Reporting = { readonly report: { readonly warn: Said; readonly error: Said } }

export const waitingIn =
  (log: Pick<Reporting['report'], 'warn'>): Report =>
  (err, signatureId) =>
    log.warn({ err, signatureId }, 'a signature still waits')

/**
 * Rounds over all rows that have stood still, the oldest first.
 * @returns a turn: it takes one row at most, and says after how many milliseconds the next is due
 */
export function openRounds(deps: ExecuteDeps, report: Report): () => Promise<number> {
  let last: SignatureRow | undefined
  return async () => {
    const row = await nextStill(deps, last)
    if (row === undefined) {
      last = undefined
      return roundMs
    }
    try {
      await execute(deps, row)
    } catch (error) {
      report(error, row.signature_id)
      // It would be the same for all: the round goes on with this one.
      if (isFailure(error, 'signers.unavailable') || isFailure(error, 'clock.wrong')) return roundMs
    }
    last = row
    return 0
  }
}

function nextStill(
  { database, now }: ExecuteDeps,
  last: SignatureRow | undefined,
): Promise<SignatureRow | undefined> {
  const still = database
    .selectFrom('signature_requests')
    .selectAll()
    .where('status', '=', 'Executing')
    // What was approved, the worker of its approval has signed.
    .where('approval_id', 'is', null)
    .where('requested_at', '<=', now() - stillMs)
  const left =
    last === undefined
      ? still
      : still.where((eb) =>
          eb(eb.refTuple('requested_at', 'id'), '>', eb.tuple(last.requested_at, last.id)),
        )
  return left.orderBy('requested_at').orderBy('id').limit(1).executeTakeFirst()
}
