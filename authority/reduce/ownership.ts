import { equalBytes } from '@quorate/core/bytes'
import { keyTable, userTable, walletTable, type RecordOf } from '../records.ts'
import { isActive, isFrozen } from '../standing.ts'
import { subjectId, type Authored } from './author.ts'
import { find, recordsOf, refuse, type Judging } from './judging.ts'

export type KeyRecord = RecordOf<typeof keyTable>

/** The key that the path names, itself or through one of the wallets that stand on it. */
export function namedKey(judging: Judging, role: 'keyId' | 'walletId'): KeyRecord {
  if (role === 'keyId') return keyOf(judging, subjectId(judging, 'keyId'))
  const wallet = find(judging, walletTable, subjectId(judging, 'walletId'))
  return wallet === undefined ? refuse('there is no such wallet') : keyOf(judging, wallet.key)
}

function keyOf(judging: Judging, id: Uint8Array): KeyRecord {
  return find(judging, keyTable, id) ?? refuse('there is no such key')
}

/** Nothing that is archived comes back, and nothing happens to it any more. */
export function judgeActive({ status }: KeyRecord): void {
  if (status !== 'active') refuse('the key is archived')
}

/** What stands still for a time is neither used nor ended, nor given away. */
export function judgeUnfrozen(judging: Judging, { terms, derivation }: KeyRecord): void {
  const records = recordsOf(judging)
  if (isFrozen(records, terms.key)) refuse('the key is frozen')
  // Its shares are the master's: whoever stops those has stopped all that is made of them.
  if (derivation !== undefined && isFrozen(records, derivation.master))
    refuse('the master key is frozen')
}

/** For an end user there is nothing but what was delegated to him. */
export function judgeReach({ user, record }: Authored, { owner }: KeyRecord): void {
  if (record.kind !== 'endUser') return
  if (owner === undefined) refuse('the key was not delegated')
  if (!equalBytes(owner, user)) refuse("the key is another user's")
}

/** Keys are delegated to end users and nobody else. */
export function newOwner(judging: Judging, role: 'delegateTo' | 'userId'): Uint8Array {
  const id = subjectId(judging, role)
  const user = find(judging, userTable, id)
  if (!isActive(user)) return refuse('the new owner is not active')
  return user.kind === 'endUser' ? id : refuse('keys are delegated to end users alone')
}
