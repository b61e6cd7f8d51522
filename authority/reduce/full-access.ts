import { equalBytes } from '@quorate/core/bytes'
import {
  credentialTable,
  grantsTable,
  holdersMax,
  holdersTable,
  permissionTable,
  userTable,
} from '../records.ts'
import { isActive, isCredentialLive, isFrozen } from '../standing.ts'
import { find, recordsOf, refuse, type Judging } from './judging.ts'
import { put, type Write } from './writes.ts'

/**
 * Who may do everything can give everything back; without anybody like that an organization could
 * lock itself out for good. So one who can act must remain: an active employee with a credential
 * that counts, and not frozen. A machine is none, since its token ends.
 */

type Assigned = { readonly permission: Uint8Array; readonly identity: Uint8Array }

/** What an assignment adds to the list of those who may do everything. */
export function withHolder(judging: Judging, assigned: Assigned): readonly Write[] {
  const { permission, identity } = assigned
  if (!isForEmployee(judging, assigned)) return []
  const users = find(judging, holdersTable, permission)?.users ?? []
  if (users.length >= holdersMax) refuse('too many may do everything')
  return [put(holdersTable, [permission], { users: [...users, identity] })]
}

/** What the end of an assignment takes from it. */
export function withoutHolder(judging: Judging, assigned: Assigned): readonly Write[] {
  const { permission, identity } = assigned
  if (!isForEmployee(judging, assigned)) return []
  const users = find(judging, holdersTable, permission)?.users ?? []
  judgeOneRemains(judging, users, identity)
  const remaining = users.filter((user) => !equalBytes(user, identity))
  return [put(holdersTable, [permission], { users: remaining })]
}

/** Before a user loses what he could do: is there somebody else who may do everything? */
export function judgeFullAccessRemains(judging: Judging, leaving: Uint8Array): void {
  for (const { permission } of find(judging, grantsTable, leaving)?.entries ?? [])
    if (isForEmployee(judging, { permission, identity: leaving }))
      judgeOneRemains(judging, find(judging, holdersTable, permission)?.users ?? [], leaving)
}

function isForEmployee(judging: Judging, { permission, identity }: Assigned): boolean {
  return (
    find(judging, permissionTable, permission)?.all === 'yes' &&
    find(judging, userTable, identity)?.kind === 'employee'
  )
}

function judgeOneRemains(
  judging: Judging,
  holders: readonly Uint8Array[],
  leaving: Uint8Array,
): void {
  if (!holders.some((user) => !equalBytes(user, leaving) && canAct(judging, user)))
    refuse('nobody would be left who may do everything')
}

function canAct(judging: Judging, id: Uint8Array): boolean {
  const records = recordsOf(judging)
  const { find: findRecord } = records
  const user = findRecord(userTable, id)
  if (!isActive(user) || isFrozen(records, id)) return false
  return user.credentials.some((fingerprint) => {
    const credential = findRecord(credentialTable, id, fingerprint)
    return (
      credential?.rank === 'confirmed' &&
      credential.kind !== 'RecoveryKey' &&
      isCredentialLive(user, credential, judging.step.time)
    )
  })
}
