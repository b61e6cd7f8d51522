import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { pageOf, shortPageQuery } from './page.ts'
import { nothing } from './paths.ts'
import { receipt } from './receipt.ts'
import { date, externalId, id, publicKeyPem, username } from './words.ts'

const kind = z.enum(['CustomerEmployee', 'EndUser'])

const user = z.object({
  username: z.string(),
  name: z.string(),
  userId: z.string(),
  kind,
  /** Of the first one that he has; empty where there is none. */
  credentialUuid: z.string(),
  orgId: z.string(),
  permissions: z.array(z.string()).optional(),
  isActive: z.boolean(),
  isServiceAccount: z.literal(false),
  isRegistered: z.boolean(),
  isSSORequired: z.boolean(),
  permissionAssignments: z.array(
    z.object({
      permissionName: z.string(),
      permissionId: z.string(),
      assignmentId: z.string(),
      operations: z.array(z.string()).optional(),
    }),
  ),
})
export type User = z.output<typeof user>
const params = z.strictObject({ userId: id })

export const createUser = endpoint('auth.createUser', {
  summary:
    'Invite an employee by mail. With a public key, its private half must sign his enrolment.',
  body: z.strictObject({
    email: username,
    kind: z.literal('CustomerEmployee'),
    publicKey: publicKeyPem.optional(),
    externalId: externalId.optional(),
    isSSORequired: z.boolean().optional(),
  }),
  returns: user,
})

export const listUsers = endpoint('auth.listUsers', {
  summary: 'Employees and end users, those archived excepted, the newest first.',
  query: z.object({
    ...shortPageQuery,
    kind: kind.optional(),
  }),
  returns: pageOf(user),
})

export const getUser = endpoint('auth.getUser', {
  summary: 'One user who is no service account.',
  params,
  returns: user,
})

export const updateUser = endpoint('auth.updateUser', {
  summary: 'Say whether a user logs in by single sign-on alone.',
  params,
  body: z.strictObject({ isSSORequired: z.boolean() }),
  returns: user,
})

export const activateUser = endpoint('auth.activateUser', {
  summary: 'Let a user in again, together with his credentials and tokens.',
  params,
  body: nothing,
  returns: user,
})

export const deactivateUser = endpoint('auth.deactivateUser', {
  summary: 'Lock a user out, with all that speaks for him. Nobody does so to himself.',
  params,
  body: nothing,
  returns: user.extend(receipt),
})

export const archiveUser = endpoint('auth.archiveUser', {
  summary: 'Lock a user out for good. His name is free again.',
  params,
  body: nothing,
  returns: user.extend(receipt),
})

export const eraseUser = endpoint('quorate.eraseUser', {
  summary:
    'Take out all that is personal of an archived user, for good. What he signed stays provable.',
  params,
  body: nothing,
  returns: z.object({ userId: z.string(), dateErased: date }),
})

export const confirmUser = endpoint('quorate.confirmUser', {
  summary: 'Vouch for the credentials that a newcomer has brought: those that are there right now.',
  params,
  body: nothing,
  returns: user,
})

export const listUserCredentials = endpoint('quorate.listUserCredentials', {
  summary:
    'What signs for a user, with fingerprints that two people can compare, in hex and words.',
  params,
  returns: z.object({
    items: z.array(
      z.object({
        credentialUuid: z.string(),
        kind: z.enum(['Key', 'Fido2', 'PasswordProtectedKey', 'RecoveryKey']),
        name: z.string(),
        fingerprint: z.string(),
        words: z.array(z.string()),
        rank: z.enum(['unconfirmed', 'confirmed']),
        isActive: z.boolean(),
        relyingPartyId: z.string(),
        dateCreated: date,
      }),
    ),
  }),
})
