import { userTable } from '@quorate/authority/records'
import { equalBytes } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import type { Caller } from '../auth/caller.ts'
import { readRoot, type Log } from '../auth/log.ts'
import type { KeyRow } from './find.ts'
import { checkNotArchived } from './reach.ts'

/**
 * Was the key made to be given away, is it nobody's yet, and is it this caller's to give? Signers
 * see to it by themselves; here it is said before a request is burned for it.
 *
 * @throws Failure `key.unsuitable`, `key.not_usable`
 */
export async function checkDelegable(
  log: Pick<Log, 'read'>,
  { organization, user }: Pick<Caller, 'organization' | 'user'>,
  key: Pick<KeyRow, 'owner' | 'delegable_by' | 'deleted_at'>,
): Promise<void> {
  checkNotArchived(key)
  const { owner, delegable_by: maker } = key
  if (owner !== null) throw unsuitable('it has been delegated')
  if (maker === null) throw unsuitable('it was not made to be delegated')
  if (equalBytes(maker, user)) return
  const isOrphaned = await readRoot(
    log,
    organization,
    (root) => root.find(userTable, maker)?.status === 'archived',
  )
  if (!isOrphaned)
    throw new Failure('key.not_usable', { reason: 'another service account has made the key' })
}

function unsuitable(reason: string): Failure {
  return new Failure('key.unsuitable', { reason })
}
