import { toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import type { Issuer } from '@quorate/authority/settings'
import { isActive, settingsOf } from '@quorate/authority/standing'
import { userTable } from '@quorate/authority/records'
import type { Database } from '../database/database.ts'
import type { Issuers } from '../oidc/issuers.ts'
import type { Identity } from '../oidc/id-token.ts'
import { newErrand, openErrand, sealErrand, useErrand, type Errand } from '../oidc/state.ts'
import { identityOf, nameOfIdentity } from '../registration/social.ts'
import { findPerson, usernameOf, type Person } from '../users/person.ts'
import { readRoot } from './log.ts'
import { openText, sealText } from './sealing.ts'
import { beginSession, type SessionDeps } from './sessions.ts'

/** Logins by the word of an identity provider: to a signer they prove nothing. */
export type FederationDeps = SessionDeps & { readonly issuers: Issuers }

type LoggedIn = { readonly token: string }

/** `POST /auth/login/social` */
export async function logInBySocial(
  deps: FederationDeps,
  { orgId, idToken }: { readonly orgId: string; readonly idToken: string },
): Promise<LoggedIn> {
  const { id } = await organizationWhere(deps.database, 'org_id', orgId)
  const settings = await readRoot(deps.log, id, settingsOf)
  const username = nameOfIdentity(await identityOf(deps, settings, idToken))
  return enter(deps, await findPerson(deps.database, { orgId, username, kinds: ['endUser'] }))
}

/** @returns where to send the browser; all that must be known again afterwards it carries, sealed */
export async function beginSso(
  deps: FederationDeps,
  asked: {
    readonly orgId: string
    /** Empty: whichever the settings name for this address. */
    readonly clientId: string | undefined
    readonly redirectUri: string
  },
): Promise<string> {
  const { orgId, redirectUri } = asked
  const { id: organization } = await organizationWhere(deps.database, 'org_id', orgId)
  const trusted = await trustedFor(deps, organization, asked)
  const clientId = asked.clientId ?? trusted?.clientIds[0]
  if (trusted === undefined || clientId === undefined)
    throw new Failure('request.unsupported', { reason: 'no such client in the settings' })
  const { issuer } = trusted
  const errand = newErrand({ organization, issuer, clientId, redirectUri }, deps.now())
  const { nonce, codeVerifier } = errand
  const state = await sealErrand(stateKey(deps), errand)
  const request = { issuer, clientId, redirectUri, state, nonce, codeVerifier }
  return deps.issuers.authorizationUrl(request)
}

/** Both ends of single sign-on. Whoever was not invited is nobody, however well he is known there. */
export async function endSso(
  deps: FederationDeps,
  given: { readonly code: string; readonly state: string; readonly iss: string | undefined },
): Promise<LoggedIn> {
  const { database, issuers, now } = deps
  const errand = await openErrand(stateKey(deps), given.state, now())
  const { organization } = errand
  // The settings may have changed while the browser was away.
  const trusted = await trustedFor(deps, organization, errand)
  if (trusted?.issuer !== errand.issuer) throw new Failure('identity_token.invalid', {})
  await useErrand(database, errand, now())
  const clientSecret = await secretOf(deps, errand)
  const { code, iss: responseIssuer } = given
  const identity = await issuers.exchangeCode({ ...errand, code, clientSecret, responseIssuer })
  const { org_id: orgId } = await organizationWhere(database, 'id', organization)
  return enter(deps, await invited(database, orgId, identity))
}

/** By an address that the provider vouches for: anybody could claim another. */
async function invited(
  database: Database,
  orgId: string,
  { email, emailVerified }: Identity,
): Promise<Person | undefined> {
  if (email === undefined || !emailVerified) return undefined
  return findPerson(database, { orgId, username: usernameOf(email), kinds: ['employee'] })
}

async function enter(deps: FederationDeps, person: Person | undefined): Promise<LoggedIn> {
  if (person === undefined) throw new Failure('user.not_found', {})
  const isHere = await readRoot(deps.log, person.organization, (root) =>
    isActive(root.find(userTable, person.user)),
  )
  if (!isHere) throw new Failure('user.deactivated', {})
  return { token: await beginSession(deps, person) }
}

async function trustedFor(
  { log }: FederationDeps,
  organization: Uint8Array,
  {
    clientId,
    redirectUri,
  }: { readonly clientId: string | undefined; readonly redirectUri: string },
): Promise<Issuer | undefined> {
  const { issuers } = await readRoot(log, organization, settingsOf)
  return issuers.find(
    ({ use, clientIds, redirectUris }) =>
      use === 'sso' &&
      redirectUris.includes(redirectUri) &&
      (clientId === undefined || clientIds.includes(clientId)),
  )
}

function stateKey({ tokens }: FederationDeps): Uint8Array {
  return tokens.keyFor('quorate:oidc:state')
}

type Client = Pick<Errand, 'organization' | 'issuer' | 'clientId'>

/** Of a client of ours with an identity provider: the operator's to set. */
export async function keepIssuerSecret(
  { database, tokens }: Pick<FederationDeps, 'database' | 'tokens'>,
  client: Client & { readonly secret: string },
): Promise<void> {
  const { organization, issuer, clientId: client_id } = client
  const secret = sealText(tokens.keyFor(secretKey), client.secret, aboutSecret(client))
  await database
    .insertInto('issuer_secrets')
    .values({ organization, issuer, client_id, secret })
    .onConflict((conflict) =>
      conflict.columns(['organization', 'issuer', 'client_id']).doUpdateSet({ secret }),
    )
    .execute()
}

export async function secretOf(
  { database, tokens }: Pick<FederationDeps, 'database' | 'tokens'>,
  client: Client,
): Promise<string | undefined> {
  const row = await database
    .selectFrom('issuer_secrets')
    .select('secret')
    .where('organization', '=', client.organization)
    .where('issuer', '=', client.issuer)
    .where('client_id', '=', client.clientId)
    .executeTakeFirst()
  return row && openText(tokens.keyFor(secretKey), row.secret, aboutSecret(client))
}
const secretKey = 'quorate:issuer-secret'

function aboutSecret({ organization, issuer, clientId }: Client): string {
  return JSON.stringify([toHex(organization), issuer, clientId])
}

async function organizationWhere(
  database: Database,
  column: 'id' | 'org_id',
  value: string | Uint8Array,
) {
  const row = await database
    .selectFrom('organizations')
    .select(['id', 'org_id'])
    .where(column, '=', value)
    .executeTakeFirst()
  if (row === undefined) throw new Failure('user.not_found', {})
  return row
}
