import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { date, externalId, id, name, publicKeyPem } from './words.ts'

const assignments = z.array(
  z.object({
    permissionName: z.string(),
    permissionId: z.string(),
    assignmentId: z.string(),
    operations: z.array(z.string()).optional(),
  }),
)

const serviceAccount = z.object({
  userInfo: z.object({
    username: z.string(),
    name: z.string(),
    userId: z.string(),
    kind: z.literal('CustomerEmployee'),
    credentialUuid: z.string(),
    orgId: z.string(),
    permissions: z.array(z.string()).optional(),
    isActive: z.boolean(),
    isServiceAccount: z.literal(true),
    isRegistered: z.boolean(),
    permissionAssignments: assignments,
  }),
  accessTokens: z.array(
    z.object({
      accessToken: z.string().optional(),
      dateCreated: date,
      credId: z.string(),
      isActive: z.boolean(),
      kind: z.literal('ServiceAccount'),
      linkedUserId: z.string(),
      linkedAppId: z.string(),
      name: z.string(),
      orgId: z.string(),
      permissionAssignments: assignments,
      publicKey: z.string(),
      tokenId: z.string(),
    }),
  ),
})
export type ServiceAccount = z.output<typeof serviceAccount>

export const createServiceAccount = endpoint('auth.createServiceAccount', {
  summary: 'Make a service account. Its token is shown in this answer and never again.',
  body: z.strictObject({
    name,
    publicKey: publicKeyPem,
    permissionId: id.optional(),
    externalId: externalId.optional(),
    daysValid: z.int().min(1).max(730).optional(),
  }),
  returns: serviceAccount,
})

export const listServiceAccounts = endpoint('auth.listServiceAccounts', {
  summary: 'All service accounts; the documented answer has no pages.',
  returns: z.object({ items: z.array(serviceAccount) }),
})

export const getServiceAccount = endpoint('auth.getServiceAccount', {
  summary: 'One service account.',
  params: z.strictObject({ serviceAccountId: id }),
  returns: serviceAccount,
})
