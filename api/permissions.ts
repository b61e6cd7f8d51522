import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { pageOf, pageQuery } from './page.ts'
import { date, id } from './words.ts'

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
  returns: pageOf(permission),
})

export const createAssignment = endpoint('permissions.createAssignment', {
  summary: 'Give a permission to a user, a service account or a token.',
  params: z.strictObject({ permissionId: id }),
  body: z.strictObject({ identityId: id }),
  returns: z.object({
    id: z.string(),
    permissionId: z.string(),
    identityId: z.string(),
    isImmutable: z.boolean(),
    dateCreated: date,
    dateUpdated: date,
  }),
})
