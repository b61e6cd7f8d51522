import { Failure, isFailure } from '@quorate/core/failure'
import type { Caller } from '../auth/caller.ts'
import { settleSigned, type SettleDeps, type SettleItem, type Settled } from '../auth/settle.ts'
import type { RawRequest } from '../http/route.ts'

/**
 * `settleSigned` for what brings a token along, which is shown in its answer alone. A permission that
 * somebody has to approve first does not come with it.
 *
 * @throws Failure `token.permission_held` besides
 */
export async function settleWithToken(
  deps: SettleDeps,
  caller: Caller,
  raw: RawRequest,
  item: SettleItem,
): Promise<Settled> {
  try {
    return await settleSigned(deps, caller, raw, item)
  } catch (error) {
    if (!isFailure(error, 'policy.held')) throw error
    throw new Failure('token.permission_held', {}, { cause: error })
  }
}
