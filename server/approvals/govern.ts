import type { ChangeRequest } from '@quorate/api/change-request'
import { matchOperation } from '@quorate/authority/operations'
import { rootOf } from '@quorate/authority/stream'
import { Failure, isFailure } from '@quorate/core/failure'
import type { Caller } from '../auth/caller.ts'
import { settleSigned, type SettleDeps, type Settled, type SettleItem } from '../auth/settle.ts'
import type { SignedAction } from '../auth/use-action.ts'
import { Held, type RawRequest } from '../http/route.ts'
import { namesIn } from './add.ts'
import { changeOf, openOnes, type ChangeDeps } from './change.ts'
import { isHeldFor } from './find.ts'
import { openApproval } from './open.ts'
import { tellRefusedChange, type TellDeps } from './triggered.ts'

export type GovernDeps = SettleDeps & ChangeDeps & TellDeps

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
  let refused: SignedAction | undefined
  try {
    const settled = await settleSigned(deps, caller, raw, {
      ...item,
      check: async (action) => {
        await checkNoneOpen(deps, caller, action)
        await item.check?.(action)
      },
      isHeld: async (error, action) => {
        if (isFailure(error, 'policy.blocked')) refused = action
        if (await isHeldFor(database, { organization, ...action }, error)) held = action
        return held !== undefined
      },
    })
    return await item.answer(settled)
  } catch (error) {
    if (refused !== undefined) await tellRefusedChange(deps, organization, refused)
    if (held === undefined) throw error
    const evidence = held.evidence(new Uint8Array())
    const ask = { organization, stream: rootOf(organization), evidence }
    return new Held(await changeOf(deps, await openApproval(deps, ask)))
  }
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
