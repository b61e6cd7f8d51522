import { z } from 'zod'

import { accessTokenOf, daysValid, permissionAssignments } from './access-token.ts'
import { endpoint } from './endpoint.ts'
import { nothing } from './paths.ts'
import { receipt } from './receipt.ts'
import { externalId, id, name, publicKeyPem } from './words.ts'

const serviceAccountId = z.strictObject({ serviceAccountId: id })

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
    permissionAssignments,
  }),
  accessTokens: z.array(accessTokenOf('ServiceAccount')),
})
export type ServiceAccount = z.output<typeof serviceAccount>

export const createServiceAccount = endpoint('auth.createServiceAccount', {
  summary: 'Make a service account. Its token is shown in this answer and never again.',
  body: z.strictObject({
    name,
    publicKey: publicKeyPem,
    permissionId: id.optional(),
    externalId: externalId.optional(),
    daysValid: daysValid.optional(),
  }),
  returns: serviceAccount,
})

export const listServiceAccounts = endpoint('auth.listServiceAccounts', {
  summary: 'All service accounts; the documented answer has no pages.',
  returns: z.object({ items: z.array(serviceAccount) }),
})

export const getServiceAccount = endpoint('auth.getServiceAccount', {
  summary: 'One service account.',
  params: serviceAccountId,
  returns: serviceAccount,
})

export const updateServiceAccount = endpoint('auth.updateServiceAccount', {
  summary: 'Call a service account something else.',
  params: serviceAccountId,
  body: z.strictObject({ name: name.optional(), externalId: externalId.optional() }),
  returns: serviceAccount,
})

export const activateServiceAccount = endpoint('auth.activateServiceAccount', {
  summary: 'Switch a service account on again, with its token.',
  params: serviceAccountId,
  body: nothing,
  returns: serviceAccount,
})

/** By force: although a policy names it as an approver. None does yet. */
export const deactivateServiceAccount = endpoint('auth.deactivateServiceAccount', {
  summary: 'Switch a service account off, with its token.',
  params: serviceAccountId,
  body: z.strictObject({ force: z.boolean().optional() }),
  returns: serviceAccount.extend(receipt),
})

export const archiveServiceAccount = endpoint('auth.archiveServiceAccount', {
  summary: 'End a service account for good, with its token.',
  params: serviceAccountId,
  body: nothing,
  returns: serviceAccount.extend(receipt),
})
