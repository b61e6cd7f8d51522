import { erasureTable } from '@quorate/authority/records'
import { isFailure } from '@quorate/core/failure'
import type { Caller } from '../auth/caller.ts'
import { carryOut } from '../auth/carry-out.ts'
import { readRoot } from '../auth/log.ts'
import { settleSigned, type SettleDeps } from '../auth/settle.ts'
import type { RawRequest } from '../http/route.ts'
import { applyRoot } from '../orgs/apply.ts'
import { eraseDue, eraseUserNow } from './erase-rows.ts'

/**
 * `PUT /auth/users/:userId/erase`. Asked again it answers the same, and goes through the rows once
 * more: whatever another server was about to write when the first erasure ran is found then.
 *
 * @throws Failure `request.refused` for whoever is not archived, and for the founder
 */
export async function eraseUser(
  deps: SettleDeps,
  caller: Caller,
  raw: RawRequest,
  { user, userId }: { readonly user: Uint8Array; readonly userId: string },
) {
  const { organization } = caller
  const erasedAt = () =>
    readRoot(deps.log, organization, ({ find }) => find(erasureTable, user)?.erasedAt)
  if ((await erasedAt()) === undefined) await settleOnce(deps, caller, raw, erasedAt)
  else await again(deps, caller, raw, user)
  // Somebody else may have taken note of it, and be at it.
  await eraseDue(deps.database, organization)
  const time = await erasedAt()
  if (time === undefined) throw new TypeError('an erasure in force has its record')
  return { userId, dateErased: new Date(time).toISOString() }
}

/** Of two that ask at once, one is refused for what the other has done. */
async function settleOnce(
  deps: SettleDeps,
  caller: Caller,
  raw: RawRequest,
  erasedAt: () => Promise<number | undefined>,
): Promise<void> {
  try {
    await settleSigned(deps, caller, raw, { kind: 'erasure' })
  } catch (error) {
    const isDone = isFailure(error, 'request.refused') && (await erasedAt()) !== undefined
    if (!isDone) throw error
  }
}

async function again(
  deps: SettleDeps,
  caller: Caller,
  raw: RawRequest,
  user: Uint8Array,
): Promise<void> {
  const { database, now } = deps
  const { organization } = caller
  await applyRoot(database, organization)
  const work = () => eraseUserNow(database, { organization, user, time: now() })
  await carryOut(deps, caller, raw, { work })
}
