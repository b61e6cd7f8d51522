import { equalBytes } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import type { Json } from '@quorate/core/json'
import { isPermissionName } from '../permission-names.ts'
import {
  assignmentTable,
  grantsTable,
  permissionNameTable,
  permissionOperationsMax,
  permissionTable,
  tokenTable,
  userTable,
  type RecordOf,
} from '../records.ts'
import { subjectId, type Authored } from './author.ts'
import { vouched } from './confirmation.ts'
import { withHolder, withoutHolder } from './full-access.ts'
import { find, refuse, type Judging } from './judging.ts'
import { objectOf, put, putName, textOf, type Reduced, type Write } from './writes.ts'

const grantsMax = 64
/** As documented. */
const nameLengthMax = 100
/** What every organization begins with bears these names, or bore them for older clients. */
const managedNames: ReadonlySet<string> = new Set([
  ...['ManagedFullAdminAccess', 'DfnsFullAdminAccess'],
  ...['ManagedDefaultEndUserAccess', 'DfnsDefaultEndUserAccess'],
])

type Permission = RecordOf<typeof permissionTable>

/** `POST /permissions` */
export function reducePermission(judging: Judging, authored: Authored): Reduced {
  const body = objectOf(authored.body)
  const permission = idOf(judging.request, 'permission')
  const name = nameIn(textOf(body, 'name'))
  const operations = operationsIn(body['operations'])
  return {
    operation: { kind: 'permission', name, operations },
    writes: [
      put(permissionTable, [permission], {
        ...{ name, operations, all: 'no', immutable: 'no', status: 'active' },
      }),
      takeName(judging, name, permission),
      putName(judging, 'permission', permission),
    ],
  }
}

function nameIn(name: string): string {
  return name.length >= 1 && name.length <= nameLengthMax
    ? name
    : refuse('the name is not of 1 to 100 characters')
}

/** Kept as they were given, names of other generations too: what they allow is said elsewhere. */
function operationsIn(value: Json | undefined): readonly string[] {
  if (!Array.isArray(value)) return refuse('operations is not a list')
  if (value.length < 1 || value.length > permissionOperationsMax)
    refuse('operations are not from 1 to 256')
  return value.map((name) =>
    typeof name === 'string' && isPermissionName(name) ? name : refuse('no such operation'),
  )
}

/** For ever: under whatever name a permission once stood, no other will. */
function takeName(judging: Judging, name: string, permission: Uint8Array): Write {
  const taken = find(judging, permissionNameTable, name)
  const isItsOwn = taken !== undefined && equalBytes(taken.permission, permission)
  if (taken !== undefined && !isItsOwn) refuse('the name is taken')
  if (managedNames.has(name) && !isItsOwn) refuse('the name is reserved')
  return put(permissionNameTable, [name], { permission })
}

/** `PUT /permissions/:permissionId`, `PUT /permissions/:permissionId/archive` */
export function reducePermissionUpdate(judging: Judging, authored: Authored): Reduced {
  const permission = subjectId(judging, 'permissionId')
  const record = find(judging, permissionTable, permission)
  if (record === undefined) return refuse('there is no such permission')
  if (record.immutable === 'yes') refuse('the permission is immutable')
  const isArchiving = authored.match.name === 'permissions.archivePermission'
  const changed = { ...record, ...(isArchiving ? statusIn(authored) : wordsIn(authored)) }
  const { name, operations, status } = changed
  return {
    operation: { kind: 'permissionUpdate', permission, name, operations, status },
    writes: [
      ...(name === record.name ? [] : [takeName(judging, name, permission)]),
      put(permissionTable, [permission], changed),
    ],
  }
}

function statusIn({ body }: Authored): Pick<Permission, 'status'> {
  const isArchived = objectOf(body)['isArchived']
  if (typeof isArchived !== 'boolean') return refuse('isArchived is not true or false')
  return { status: isArchived ? 'archived' : 'active' }
}

function wordsIn(authored: Authored): Partial<Pick<Permission, 'name' | 'operations'>> {
  const body = objectOf(authored.body)
  return {
    ...(body['name'] === undefined ? {} : { name: nameIn(textOf(body, 'name')) }),
    ...(body['operations'] === undefined ? {} : { operations: operationsIn(body['operations']) }),
  }
}

/**
 * `POST /permissions/:permissionId/assignments`. Whoever may assign may assign anything to anybody,
 * himself included, as the documented API has it.
 */
export function reduceAssignment(judging: Judging, authored: Authored): Reduced {
  const permission = subjectId(judging, 'permissionId')
  const identity = subjectId(judging, 'identityId')
  if (find(judging, permissionTable, permission)?.status !== 'active')
    refuse('there is no such permission')
  const token = find(judging, tokenTable, identity)
  judgeIdentity(judging, identity, token)
  const entries = find(judging, grantsTable, identity)?.entries ?? []
  if (entries.some((entry) => equalBytes(entry.permission, permission)))
    refuse('the permission is assigned already')
  if (entries.length >= grantsMax) refuse('too many permissions for one identity')
  const assignment = idOf(judging.request, 'assignment')
  const { confirmed, writes } = vouched(judging, authored)
  return {
    operation: { kind: 'assignment', permission, identity, confirmed },
    writes: [
      put(grantsTable, [identity], { entries: [...entries, { permission, assignment }] }),
      put(assignmentTable, [assignment], { permission, identity, status: 'active' }),
      ...(token === undefined ? [] : [put(tokenTable, [identity], { ...token, scoped: 'yes' })]),
      ...withHolder(judging, { permission, identity }),
      putName(judging, 'assignment', assignment),
      ...writes,
    ],
  }
}

function judgeIdentity(
  judging: Judging,
  identity: Uint8Array,
  token: RecordOf<typeof tokenTable> | undefined,
): void {
  if (token?.kind === 'ServiceAccount')
    refuse("a service account's token has the permissions of the account")
  const { status } =
    token ?? find(judging, userTable, identity) ?? refuse('there is no such identity')
  if (status === 'archived') refuse('the identity is archived')
}

/** `DELETE /permissions/:permissionId/assignments/:assignmentId` */
export function reduceAssignmentEnd(judging: Judging): Reduced {
  const permission = subjectId(judging, 'permissionId')
  const assignment = subjectId(judging, 'assignmentId')
  const record = find(judging, assignmentTable, assignment)
  if (record?.status !== 'active' || !equalBytes(record.permission, permission))
    return refuse('there is no such assignment')
  const { identity } = record
  const entries = find(judging, grantsTable, identity)?.entries ?? []
  const remaining = entries.filter((entry) => !equalBytes(entry.assignment, assignment))
  return {
    operation: { kind: 'assignmentEnd', assignment },
    writes: [
      put(grantsTable, [identity], { entries: remaining }),
      put(assignmentTable, [assignment], { ...record, status: 'ended' }),
      ...withoutHolder(judging, { permission, identity }),
    ],
  }
}
