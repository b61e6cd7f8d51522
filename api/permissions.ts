import { z } from 'zod'

import { isPermissionName } from '@quorate/authority/permission-names'
import { permissionOperationsMax } from '@quorate/authority/records'

import { changeRequest, pendingChange } from './change-request.ts'
import { receipt } from './receipt.ts'
import { endpoint } from './endpoint.ts'
import { pageOf, pageQuery } from './page.ts'
import { nothing } from './paths.ts'
import { date, id, name } from './words.ts'

const permissionId = z.strictObject({ permissionId: id })
const operation = z.string().refine(isPermissionName, 'not the name of an operation')
const operations = z.array(operation).min(1).max(permissionOperationsMax)

const permission = z.object({
  id: z.string(),
  name: z.string(),
  operations: z.array(z.string()),
  status: z.literal('Active'),
  isImmutable: z.boolean(),
  isArchived: z.boolean(),
  dateCreated: date,
  dateUpdated: date,
})
export type Permission = z.output<typeof permission>

export const listPermissions = endpoint('permissions.listPermissions', {
  summary: 'Permissions, page by page.',
  query: z.object(pageQuery),
  returns: pageOf(permission.extend(pendingChange)),
})

export const getPermission = endpoint('permissions.getPermission', {
  summary: 'One permission.',
  params: permissionId,
  returns: permission.extend(pendingChange),
})

export const createPermission = endpoint('permissions.createPermission', {
  summary: 'Make a permission of operations, by names of any generation.',
  body: z.strictObject({ name, operations }),
  returns: permission,
})

export const updatePermission = endpoint('permissions.updatePermission', {
  summary: 'Change what a permission is called or allows, for everybody who has it.',
  params: permissionId,
  body: z.strictObject({ name: name.optional(), operations: operations.optional() }),
  returns: z.union([permission, changeRequest]),
})

export const archivePermission = endpoint('permissions.archivePermission', {
  summary: 'Archive a permission, which then allows nothing, or take that back.',
  params: permissionId,
  body: z.strictObject({ isArchived: z.boolean() }),
  returns: z.union([permission.extend(receipt), changeRequest]),
})

const assignment = z.object({
  id: z.string(),
  permissionId: z.string(),
  identityId: z.string(),
  isImmutable: z.boolean(),
  dateCreated: date,
  dateUpdated: date,
})

export const createAssignment = endpoint('permissions.createAssignment', {
  summary: 'Give a permission to a user, a service account or a token.',
  params: permissionId,
  body: z.strictObject({ identityId: id }),
  returns: z.union([assignment, changeRequest]),
})

export const listAssignments = endpoint('permissions.listAssignments', {
  summary: 'Who has a permission, page by page.',
  params: permissionId,
  query: z.object(pageQuery),
  returns: pageOf(assignment.extend(pendingChange)),
})

export const deleteAssignment = endpoint('permissions.deleteAssignment', {
  summary: 'Take a permission from somebody.',
  params: z.strictObject({ permissionId: id, assignmentId: id }),
  body: nothing,
  returns: z.union([changeRequest, z.object(receipt)]),
})
