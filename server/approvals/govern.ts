import type { ChangeRequest } from '@quorate/api/change-request'
import { matchOperation } from '@quorate/authority/operations'
import { rootOf } from '@quorate/authority/stream'
import { activityKindOf } from '@quorate/authority/reduce/gate'
import { Failure, isFailure } from '@quorate/core/failure'
import type { Caller } from '../auth/caller.ts'
import { settleSigned, type SettleDeps, type Settled, type SettleItem } from '../auth/settle.ts'
import type { SignedAction } from '../auth/use-action.ts'
import { inTransaction } from '../database/database.ts'
import { Held, type RawRequest } from '../http/route.ts'
import { recordEvent } from '../outbox.ts'
import { evaluationsOf } from '../policies/evaluate.ts'
import { triggeredEvents } from '../policies/triggered.ts'
import { namesIn } from './add.ts'
import { changeOf, openOnes, type ChangeDeps } from './change.ts'
import { isHeldFor } from './find.ts'
import { openApproval } from './open.ts'

export type GovernDeps = SettleDeps & ChangeDeps

/**
 * `settleSigned` for what policies may hold: then the approvers are asked, and the answer is the change
 * that waits for them. Of one entity there is one such change at a time.
 */
export async function settleGoverned<A>(
  deps: GovernDeps,
  caller: Caller,
  raw: RawRequest,
  item: SettleItem & { readonly answer: (settled: Settled) => Promise<A> },
): Promise<A | Held<ChangeRequest>> {
  const { database } = deps
  const { organization } = caller
  let held: SignedAction | undefined
  let asked: SignedAction | undefined
  try {
    const settled = await settleSigned(deps, caller, raw, {
      ...item,
      check: async (action) => {
        asked = action
        await checkNoneOpen(deps, caller, action)
        await item.check?.(action)
      },
      isHeld: async (error, action) => {
        if (await isHeldFor(database, { organization, ...action }, error)) held = action
        return held !== undefined
      },
    })
    return await item.answer(settled)
  } catch (error) {
    if (isFailure(error, 'policy.blocked') && asked !== undefined)
      await tellBlocked(deps, caller, asked)
    if (held === undefined) throw error
    const evidence = held.evidence(new Uint8Array())
    const ask = { organization, stream: rootOf(organization), evidence }
    return new Held(await changeOf(deps, await openApproval(deps, ask)))
  }
}

/** Nothing has changed, and is told of with nothing else: only that a policy was triggered. */
async function tellBlocked(
  deps: GovernDeps,
  { organization }: Caller,
  { preimage, request, evidence }: SignedAction,
): Promise<void> {
  const { database, now } = deps
  const match = matchOperation(preimage.method, preimage.path)
  const activity = { kind: match && activityKindOf(match.name) }
  const at = now()
  const ask = { organization, stream: rootOf(organization), evidence: evidence(new Uint8Array()) }
  const evaluations = await evaluationsOf(deps, ask, at)
  const events = await triggeredEvents(deps, { organization, request, activity, evaluations, at })
  await inTransaction(database, async (transaction) => {
    for (const event of events) await recordEvent(transaction, event)
  })
}

async function checkNoneOpen(
  { database, now }: GovernDeps,
  { organization }: Caller,
  { preimage, payload, request }: SignedAction,
): Promise<void> {
  const match = matchOperation(preimage.method, preimage.path)
  const { about } = match === undefined ? { about: null } : namesIn(match, payload, request)
  if (about === null) return
  const open = await openOnes(database, organization, now())
    .where('about', '=', about)
    .limit(1)
    .executeTakeFirst()
  if (open !== undefined) throw new Failure('change.pending', { approvalId: open.approval_id })
}
