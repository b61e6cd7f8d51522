import { Failure, isFailure } from '@quorate/core/failure'
import { tellRefusedChange, type TellDeps } from '../approvals/triggered.ts'
import type { Caller } from '../auth/caller.ts'
import { settleSigned, type SettleDeps, type SettleItem, type Settled } from '../auth/settle.ts'
import type { SignedAction } from '../auth/use-action.ts'
import type { RawRequest } from '../http/route.ts'

export type SettleWithTokenDeps = SettleDeps & TellDeps

/**
 * `settleSigned` for what brings a token along, which is shown in its answer alone. A permission that
 * somebody has to approve first does not come with it.
 *
 * @throws Failure `token.permission_held` besides
 */
export async function settleWithToken(
  deps: SettleWithTokenDeps,
  caller: Caller,
  raw: RawRequest,
  item: SettleItem,
): Promise<Settled> {
  let refused: SignedAction | undefined
  try {
    return await settleSigned(deps, caller, raw, {
      ...item,
      isHeld: async (error, action) => {
        if (isFailure(error, 'policy.held') || isFailure(error, 'policy.blocked')) refused = action
        return (await item.isHeld?.(error, action)) ?? false
      },
    })
  } catch (error) {
    if (refused !== undefined) await tellRefusedChange(deps, caller.organization, refused)
    if (!isFailure(error, 'policy.held')) throw error
    throw new Failure('token.permission_held', {}, { cause: error })
  }
}
