import type { User } from '@quorate/api/users'
import { credentialTable, userTable } from '@quorate/authority/records'
import { nameOf } from '@quorate/core/id'
import type { Root } from '../auth/log.ts'
import { grantsOf, isActive } from '../auth/standing.ts'

export type UserRow = {
  readonly id: Uint8Array
  readonly user_id: string
  readonly kind: 'employee' | 'endUser'
  readonly username: string
  readonly created_at: number
}

/** A user as the API shows him: names of rows, and whatever counts of the newest records. */
export function userOf(root: Root, row: UserRow, orgId: string): User {
  const { id, user_id: userId, kind, username } = row
  const record = root.find(userTable, id)
  const [first] = record?.credentials ?? []
  const credential = first && root.find(credentialTable, id, first)
  return {
    ...{ username, name: username, userId, orgId },
    kind: kind === 'endUser' ? 'EndUser' : 'CustomerEmployee',
    credentialUuid: credential === undefined ? '' : nameOf('credential', credential.id),
    isActive: isActive(root, id),
    isServiceAccount: false,
    isRegistered: record?.registered === 'yes',
    isSSORequired: record?.ssoRequired === 'yes',
    permissionAssignments: grantsOf(root, id),
  }
}
