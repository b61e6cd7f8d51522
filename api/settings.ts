import { z } from 'zod'

import { recoveryWaitMsMax, rootMembersMax } from '@quorate/authority/settings'

import { endpoint } from './endpoint.ts'
import { receipt } from './receipt.ts'
import { date, id } from './words.ts'

/**
 * What an organization lays down for itself, as signers enforce it (`authority/settings.ts`), with
 * true for what is on or allowed. Only the root quorum changes it: every member sends what he wants,
 * in words of his own, and the change is in force once enough of them want the same outcome.
 */
const relyingParty = z.strictObject({
  id: z.string().max(253),
  origins: z.array(z.string().max(512)).min(1).max(32),
})
const enrolment = z.enum(['confirmed', 'open'])
const factSource = z.enum(['Server', 'Signer'])
const issuer = z.strictObject({
  use: z.enum(['social', 'sso']),
  issuer: z.string().max(256),
  clientIds: z.array(z.string().min(1).max(256)).min(1).max(8),
  redirectUris: z.array(z.string().max(256)).max(8).optional(),
})

const settings = z.strictObject({
  relyingParties: z.array(relyingParty).max(16),
  userVerification: z.enum(['preferred', 'required']),
  enrolment: z.strictObject({ employees: enrolment, endUsers: enrolment }),
  passwordProtectedKeys: z.boolean(),
  passwords: z.boolean(),
  recovery: z.strictObject({
    waitMs: z.int().min(0).max(recoveryWaitMsMax),
    usesWhileWaiting: z.boolean(),
  }),
  issuers: z.array(issuer).max(16),
  requireChecked: z.array(z.string().max(64)).max(64),
  /** `needed` is 0 where none is declared. */
  breakGlass: z.strictObject({
    needed: z.int().min(0).max(rootMembersMax),
    members: z.array(id).max(rootMembersMax),
    waitMs: z.int().min(0).max(recoveryWaitMsMax),
  }),
  /** `Signer`: what a signer does not find in its own fact file, it does not vote for. */
  factSources: z.strictObject({ prices: factSource, screenings: factSource }),
})
export type Settings = z.output<typeof settings>

/** A member is a user: any confirmed key or passkey of his own speaks for him. */
const rootQuorum = z.strictObject({
  needed: z.int().min(1).max(rootMembersMax),
  members: z.array(id).min(1).max(rootMembersMax),
})

const governed = { settings, rootQuorum }

/** Signed by some members and not yet by enough. Its name is the hash of the outcome, in hex. */
const proposal = z.object({
  proposal: z.string(),
  ...governed,
  signedBy: z.array(z.string()),
  expiresAt: date,
})

export const getSettings = endpoint('quorate.getSettings', {
  summary: 'The settings of the organization, its root quorum, and what waits for more signatures.',
  returns: z.object({ ...governed, proposals: z.array(proposal) }),
})

export const updateSettings = endpoint('quorate.updateSettings', {
  summary:
    'Sign a change of settings or of the root quorum. What is not named stays. 202 while more members must sign: the official SDK throws its PolicyPendingError then.',
  body: z.strictObject({
    settings: z
      .strictObject({
        ...settings.shape,
        enrolment: settings.shape.enrolment.partial(),
        recovery: settings.shape.recovery.partial(),
        factSources: settings.shape.factSources.partial(),
      })
      .partial()
      .optional(),
    rootQuorum: rootQuorum.optional(),
  }),
  returns: z.union([
    z.object({ status: z.literal('InForce'), ...governed, ...receipt }),
    z.object({ status: z.literal('Pending'), ...proposal.shape }),
  ]),
})
