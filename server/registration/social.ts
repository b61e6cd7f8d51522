import { toHex, toUtf8 } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { hashOf, sha256 } from '@quorate/core/hash'
import { idOf } from '@quorate/core/id'
import { userTable } from '@quorate/authority/records'
import { completionHash } from '@quorate/authority/request'
import type { Settings } from '@quorate/authority/settings'
import { isActive, settingsOf } from '@quorate/authority/standing'
import type { Evidence } from '@quorate/authority/step'
import { decodeJwt, errors } from 'jose'
import { makeChallenge } from '../auth/challenge.ts'
import { readRoot } from '../auth/log.ts'
import { openNewcomer, type NewcomerDeps } from '../auth/newcomer.ts'
import { settleCompleted, type SettleDeps } from '../auth/settle.ts'
import { inTransaction, type Database } from '../database/database.ts'
import type { Identity } from '../oidc/id-token.ts'
import type { Issuers } from '../oidc/issuers.ts'
import {
  claimUsername,
  findPerson,
  freeUsername,
  usernameOf,
  type Person,
} from '../users/person.ts'

export type SocialDeps = SettleDeps & NewcomerDeps & { readonly issuers: Issuers }

type Given = { readonly orgId: string; readonly idToken: string }

/**
 * `POST /auth/registration/social`: whoever the organization's identity provider vouches for may
 * register as an end user. The word is the server's alone: to a signer he is as new as anybody.
 *
 * @throws Failure `identity_token.invalid` for a token that none of its providers has given
 * @throws Failure `user.already_exists`
 */
export async function enrolBySocial(deps: SocialDeps, { orgId, idToken }: Given) {
  const { database, log } = deps
  const organization = await organizationNamed(database, orgId)
  if (organization === undefined) throw new Failure('identity_token.invalid', {})
  const settings = await readRoot(log, organization, settingsOf)
  const username = nameOfIdentity(await identityOf(deps, settings, idToken))
  const known = await findPerson(database, { orgId, username, kinds: ['endUser'] })
  const person = known ?? (await bear(deps, { organization, orgId, username }))
  const isAwaited = await readRoot(log, organization, ({ find }) => {
    const record = find(userTable, person.user)
    return isActive(record) && record.registered === 'no'
  })
  if (!isAwaited) throw new Failure('user.already_exists', {})
  return openNewcomer(deps, { person, purpose: 'register' })
}

/** Which of its providers it claims to be from is where to look; what it says is then verified. */
export async function identityOf(
  { issuers }: Pick<SocialDeps, 'issuers'>,
  settings: Settings,
  idToken: string,
): Promise<Identity> {
  const claimed = issuerIn(idToken)
  const trusted = settings.issuers.find(({ use, issuer }) => use === 'social' && issuer === claimed)
  if (trusted === undefined) throw new Failure('identity_token.invalid', {})
  const { issuer, clientIds: audiences } = trusted
  return issuers.verifyIdToken({ issuer: { issuer, audiences }, idToken })
}

function issuerIn(idToken: string): string | undefined {
  try {
    return decodeJwt(idToken).iss
  } catch (cause) {
    if (cause instanceof errors.JOSEError) return undefined
    throw cause
  }
}

/**
 * The address, if the provider vouches for it: then this is whoever was registered under it. Else
 * a name that no other subject and no other provider has; a subject has capitals, and names do not.
 */
export function nameOfIdentity({ issuer, subject, email, emailVerified }: Identity): string {
  if (email !== undefined && emailVerified) return usernameOf(email)
  const hash = hashOf('quorate/oidc-subject/1', toUtf8(issuer), toUtf8(subject))
  return `oidc-${toHex(hash.subarray(0, 20))}`
}

async function organizationNamed(
  database: Database,
  orgId: string,
): Promise<Uint8Array | undefined> {
  const row = await database
    .selectFrom('organizations')
    .select('id')
    .where('org_id', '=', orgId)
    .executeTakeFirst()
  return row?.id
}

const path = '/auth/registration/social'

/** A user by no request: what he is named by stands in the log, and the token never does. */
async function bear(
  deps: SocialDeps,
  named: { readonly organization: Uint8Array; readonly orgId: string; readonly username: string },
): Promise<Person> {
  const { database, now } = deps
  const { organization, orgId, username } = named
  const { preimage, salt, request } = makeChallenge(
    { purpose: 'social', organization, path },
    '',
    now(),
  )
  const payload = JSON.stringify({ email: username, kind: 'EndUser' })
  const evidence: Evidence = { preimage, payload, salt, assertions: [], facts: new Uint8Array() }
  const user = idOf(completionHash(request, sha256(toUtf8(payload))), 'user')
  const kind = 'endUser'
  await inTransaction(database, (transaction) =>
    claimUsername(transaction, { organization, user, kind, username, now: now() }),
  )
  try {
    await settleCompleted(deps, { organization, kind: 'user', evidence })
  } catch (error) {
    await freeUsername(database, { organization, user })
    throw error
  }
  const person = await findPerson(database, { orgId, username, kinds: [kind] })
  if (person === undefined) throw new TypeError('a user in force has his rows')
  return person
}
