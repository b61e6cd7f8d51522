import { matchOperation } from '@quorate/authority/operations'
import { activityKindOf } from '@quorate/authority/reduce/gate'
import { requestHash } from '@quorate/authority/request'
import { rootOf } from '@quorate/authority/stream'
import { toHex } from '@quorate/core/bytes'
import type { Log } from '../auth/log.ts'
import type { SignedAction } from '../auth/use-action.ts'
import { inTransaction } from '../database/database.ts'
import { recordEvent } from '../outbox.ts'
import { evaluationsOf, type Asked, type EvaluateDeps } from '../policies/evaluate.ts'
import { triggeredEvents } from '../policies/triggered.ts'

export type TellDeps = EvaluateDeps & {
  readonly log: Pick<Log, 'read'>
  readonly now: () => number
  readonly report: { error(context: object, message: string): void }
}

/** A request of which nothing is kept here that could be told of with it. */
export type Told = Asked & {
  /** What was asked for, such as `{ kind, derivationRequest }`. */
  readonly activity: object
}

/** Tells of each policy that it has triggered. Whoever asks once more for the same is told of once more. */
export async function tellTriggered(deps: TellDeps, told: Told): Promise<void> {
  const { database, now } = deps
  const { organization, evidence, activity } = told
  const at = now()
  const request = requestHash(evidence.preimage)
  const evaluations = await evaluationsOf(deps, told, at)
  const events = await triggeredEvents(deps, { organization, request, activity, evaluations, at })
  if (events.length === 0) return
  await inTransaction(database, async (transaction) => {
    for (const event of events) await recordEvent(transaction, event)
  })
}

/** The same of what policies have refused: that stands, whether it can be told of or not. */
export async function tellRefused(deps: TellDeps, told: Told): Promise<void> {
  try {
    await tellTriggered(deps, told)
  } catch (error) {
    const about = { err: error, organization: toHex(told.organization) }
    deps.report.error(about, 'it was not told of that policies have refused a request')
  }
}

/** Of a change: nothing has changed, and only that a policy was triggered is told of. */
export function tellRefusedChange(
  deps: TellDeps,
  organization: Uint8Array,
  { preimage, evidence }: SignedAction,
): Promise<void> {
  const match = matchOperation(preimage.method, preimage.path)
  const activity = { kind: match && activityKindOf(match.name) }
  const stream = rootOf(organization)
  return tellRefused(deps, { organization, stream, evidence: evidence(new Uint8Array()), activity })
}
