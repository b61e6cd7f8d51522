import type { PolicyEvaluation } from '@quorate/authority/reduce/judging'
import { toUtf8 } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import { nameOf } from '@quorate/core/id'
import { idNamed, readRoot, type Log } from '../auth/log.ts'
import type { Database } from '../database/database.ts'
import { applyRoot } from '../orgs/apply.ts'
import type { Event } from '../outbox.ts'
import { policyOf } from './shown.ts'

export type Triggering = {
  readonly organization: Uint8Array
  /** The hash of what was asked for. */
  readonly request: Uint8Array
  /** What was asked for, such as `{ kind, transferRequest }`. */
  readonly activity: object
  readonly evaluations: readonly PolicyEvaluation[]
  readonly at: number
}

/** An event for each policy that what was asked for has triggered, whatever that policy wants done. */
export async function triggeredEvents(
  { database, log }: { readonly database: Database; readonly log: Pick<Log, 'read'> },
  { organization, request, activity, evaluations, at }: Triggering,
): Promise<readonly Event[]> {
  const triggered = evaluations.filter((one) => one.triggered)
  const events = triggered.map(async ({ policyId, reason }): Promise<Event> => {
    const evaluation = hashOf('quorate/evaluation/1', request, toUtf8(policyId))
    const policyEvaluation = {
      ...{ id: nameOf('evaluation', evaluation), triggered: true, reason },
      date: new Date(at).toISOString(),
      policy: await policyNamed({ database, log }, organization, policyId),
      activity,
      // Values that a rule has compared are in its words.
      context: {},
    }
    return { organization, kind: 'policy.triggered', data: { policyEvaluation }, at }
  })
  return Promise.all(events)
}

async function policyNamed(
  { database, log }: { readonly database: Database; readonly log: Pick<Log, 'read'> },
  organization: Uint8Array,
  policyId: string,
) {
  const id = await readRoot(log, organization, (root) => idNamed(root, 'policy', policyId))
  if (id === undefined) throw new TypeError('a policy that was asked has its name')
  const find = () =>
    database
      .selectFrom('policies')
      .selectAll()
      .where('organization', '=', organization)
      .where('id', '=', id)
  let row = await find().executeTakeFirst()
  if (row === undefined) {
    // In force, and another server is about to make its row.
    await applyRoot(database, organization)
    row = await find().executeTakeFirstOrThrow()
  }
  const policy = row
  return readRoot(log, organization, (root) => policyOf(root, policy))
}
