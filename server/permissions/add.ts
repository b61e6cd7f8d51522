import { idOf, nameOf } from '@quorate/core/id'
import { parseJson } from '@quorate/core/json'
import { parse } from '@quorate/api/parse'
import { createAssignment } from '@quorate/api/permissions'
import { requestHash } from '@quorate/authority/request'
import type { DatabaseTransaction } from '../database/database.ts'
import type { Applied } from '../orgs/apply.ts'

/** What it says is in the records; the row is for the list. */
export async function addPermission(
  transaction: DatabaseTransaction,
  { organization, item, evidence, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'permission') throw new TypeError('not a permission')
  const id = idOf(requestHash(evidence.preimage), 'permission')
  await transaction
    .insertInto('permissions')
    .values({ organization, id, ...unchanged, managed: null, created_at: time })
    .execute()
}

export const unchanged = { updated_at: null, archived_at: null }

export async function changePermission(
  transaction: DatabaseTransaction,
  { organization, item, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'permissionUpdate') throw new TypeError('not a changed permission')
  const { permission, status } = item.operation
  await transaction
    .updateTable('permissions')
    .set({ updated_at: time, archived_at: status === 'archived' ? time : null })
    .where('organization', '=', organization)
    .where('id', '=', permission)
    .execute()
}

type NewAssignment = {
  readonly organization: Uint8Array
  /** What made it: the assignment is its first. */
  readonly request: Uint8Array
  readonly permission: Uint8Array
  readonly identity: Uint8Array
  /** The name on the wire of a user or a token. */
  readonly identityId: string
  readonly time: number
}

export async function addAssignment(
  transaction: DatabaseTransaction,
  { organization, request, permission, identity, identityId, time }: NewAssignment,
): Promise<void> {
  await transaction
    .insertInto('assignments')
    .values({
      ...{ organization, id: idOf(request, 'assignment'), permission, identity },
      ...{ identity_id: identityId, created_at: time },
    })
    .execute()
}

/** `POST /permissions/:permissionId/assignments` */
export async function addGrant(
  transaction: DatabaseTransaction,
  { organization, item, evidence, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'assignment') throw new TypeError('not an assignment')
  const { permission, identity } = item.operation
  const { identityId } = parse(createAssignment.body, parseJson(evidence.payload), 'payload')
  const request = requestHash(evidence.preimage)
  const made = { organization, request, permission, identity, identityId, time }
  await addAssignment(transaction, made)
}

/** What every end user is born with, as long as the organization has not archived it. */
export async function addEndUserGrant(
  transaction: DatabaseTransaction,
  born: Pick<NewAssignment, 'organization' | 'request' | 'time'> & { readonly user: Uint8Array },
): Promise<void> {
  const { organization, request, time, user } = born
  const row = await transaction
    .selectFrom('permissions')
    .select('id')
    .where('organization', '=', organization)
    .where('managed', '=', 'endUsers')
    .where('archived_at', 'is', null)
    .executeTakeFirst()
  if (row === undefined) return
  await addAssignment(transaction, {
    ...{ organization, request, permission: row.id, identity: user, time },
    identityId: nameOf('user', user),
  })
}

/** A hard delete, as documented: the log has it all. */
export async function removeAssignment(
  transaction: DatabaseTransaction,
  { organization, item }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'assignmentEnd') throw new TypeError('not the end of an assignment')
  await transaction
    .deleteFrom('assignments')
    .where('organization', '=', organization)
    .where('id', '=', item.operation.assignment)
    .execute()
}
