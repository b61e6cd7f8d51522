import { equalBytes } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { isEndUser, type Caller } from '../auth/caller.ts'
import type { KeyRow } from './find.ts'

/** Who looks: an end user sees what was delegated to him, and all else does not exist for him. */
export type Reach = Pick<Caller, 'organization' | 'orgId' | 'user' | 'kind'>

/** Whose things alone a caller sees; empty for those who see all of their organization. */
export function ownerSeen(caller: Pick<Caller, 'user' | 'kind'>): Uint8Array | undefined {
  return isEndUser(caller) ? caller.user : undefined
}

export type Standing = Pick<KeyRow, 'owner' | 'delegable_by' | 'deleted_at'>

/**
 * May the caller have this key sign something? Only for a better answer than the signers', who see
 * to it by themselves, and before a request is burned for it.
 *
 * @throws Failure `key.not_usable`
 */
export function checkUsable({ user }: Pick<Caller, 'user'>, key: Standing): void {
  checkNotArchived(key)
  if (key.owner !== null && !equalBytes(key.owner, user))
    throw notUsable('the key is delegated to an end user')
  if (key.owner === null) checkNotWaiting({ user }, key)
}

/** @throws Failure `key.not_usable` */
export function checkNotArchived({ deleted_at }: Pick<Standing, 'deleted_at'>): void {
  if (deleted_at !== null) throw notUsable('the key is archived')
}

/** @throws Failure `key.not_usable` for everybody but the service account that has made it */
export function checkNotWaiting(
  { user }: Pick<Caller, 'user'>,
  { delegable_by }: Pick<Standing, 'delegable_by'>,
): void {
  if (delegable_by !== null && !equalBytes(delegable_by, user))
    throw notUsable('the key waits to be delegated')
}

function notUsable(reason: string): Failure {
  return new Failure('key.not_usable', { reason })
}
