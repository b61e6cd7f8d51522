import { equalBytes, fromBase64url, toBase64url, toHex } from '@quorate/core/bytes'
import { Failure, isFailure } from '@quorate/core/failure'
import type { FirstFactor, SecondFactor } from '@quorate/api/challenge'
import type { CredentialKind } from '@quorate/authority/credential'
import { userTable } from '@quorate/authority/records'
import { challengeOf, decodePreimage, requestHash } from '@quorate/authority/request'
import type { Settings } from '@quorate/authority/settings'
import { isActive, settingsOf } from '@quorate/authority/standing'
import { provePassword, useTotp } from '../credentials/local.ts'
import type { Database } from '../database/database.ts'
import { findPerson, personOf, usernameOf, type Person } from '../users/person.ts'
import { assertionChallenge, makeChallenge } from './challenge.ts'
import { proveCode, sendCode } from './codes.ts'
import {
  credentialsNamed,
  usableCredentials,
  verifiedAssertion,
  type Answerers,
  type GivenAssertion,
  type Verified,
} from './credentials.ts'
import { decoysFor } from './decoy.ts'
import { readRoot, type Log } from './log.ts'
import { beginSession } from './sessions.ts'
import type { Tokens } from './tokens.ts'

export type LoginDeps = {
  readonly database: Database
  readonly log: Pick<Log, 'read'>
  readonly tokens: Tokens
  readonly now: () => number
}

/** Asked for anew by whoever logs in; what is signed names nothing but the login itself. */
const path = '/auth/login'
const kinds = ['employee', 'endUser'] as const

type Asked = {
  readonly orgId: string
  readonly username: string | undefined
  readonly loginCode: string | undefined
}

/**
 * Nothing is stored: the client carries its challenge, and only answered ones leave a trace. The
 * challenge names no user, and looks the same whether there is one or not.
 */
export async function initLogin(deps: LoginDeps, { orgId, username, loginCode }: Asked) {
  const { tokens, now } = deps
  const organization = await organizationNamed(deps.database, orgId)
  if (loginCode !== undefined) await checkLoginCode(deps, { orgId, username, code: loginCode })
  const { answerers, settings } =
    username === undefined
      ? await nobodys(deps, organization)
      : await answerersFor(deps, { organization, orgId, username, loginCode })
  const issuedAt = now()
  const challenge = makeChallenge({ purpose: 'login', organization, path }, '', issuedAt)
  const identifier = await tokens.sealChallenge(
    {
      ...{ preimage: toBase64url(challenge.preimage), salt: toHex(challenge.salt) },
      ...(username === undefined ? {} : { username }),
    },
    { from: issuedAt, until: challenge.signBefore },
  )
  return assertionChallenge(challenge, identifier, { answerers, settings })
}

/** `POST /auth/login/code`: mailed to whoever bears the name, and to nobody else. */
export async function sendLoginCode(
  deps: LoginDeps,
  { orgId, username }: { readonly orgId: string; readonly username: string },
) {
  const person = await findPerson(deps.database, { orgId, username, kinds })
  return sendCode(deps, { orgId, username, purpose: 'login', person })
}

/** @throws Failure `code.invalid` whatever is wrong with it */
async function checkLoginCode(
  deps: LoginDeps,
  { orgId, username, code }: Pick<Asked, 'orgId' | 'username'> & { readonly code: string },
): Promise<void> {
  if (username === undefined) throw new Failure('code.invalid', {})
  const person = await findPerson(deps.database, { orgId, username, kinds })
  try {
    await proveCode(deps, { orgId, username, purpose: 'login', person, code })
  } catch (cause) {
    if (isFailure(cause, 'code.expired')) throw new Failure('code.invalid', {}, { cause })
    throw cause
  }
}

async function organizationNamed(database: Database, orgId: string): Promise<Uint8Array> {
  const row = await database
    .selectFrom('organizations')
    .select('id')
    .where('org_id', '=', orgId)
    .executeTakeFirst()
  if (row === undefined) throw new Failure('user.not_found', {})
  return row.id
}

type Shown = Pick<Answerers, 'settings'> & {
  readonly answerers: Parameters<typeof assertionChallenge>[2]['answerers']
}

/** Without a name the authenticator says which of its users it is. */
async function nobodys({ log }: LoginDeps, organization: Uint8Array): Promise<Shown> {
  return { answerers: [], settings: await readRoot(log, organization, settingsOf) }
}

async function answerersFor(
  deps: LoginDeps,
  named: Asked & { readonly organization: Uint8Array; readonly username: string },
): Promise<Shown> {
  const { organization, orgId, username, loginCode } = named
  const person = await findPerson(deps.database, { orgId, username, kinds })
  const { answerers, settings } = await usableCredentials(deps, {
    ...{ organization, user: person?.user ?? nobody, token: undefined, time: deps.now() },
  })
  const decoys = decoysFor(deps.tokens, named, settings)
  const shown = answerers.filter(({ kind }) => isShown(kind, loginCode !== undefined))
  return { answerers: inOrder(shown.length > 0 ? shown : decoys), settings }
}
const nobody = new Uint8Array(32)

/** Of what a login is begun with; a key under a password is for whoever reads its owner's mail as well. */
function isShown(kind: CredentialKind, isByCode: boolean): boolean {
  return kind === 'Key' || kind === 'Fido2' || (kind === 'PasswordProtectedKey' && isByCode)
}

/** Not as the database has them: an order of its own would tell which ones it has. */
function inOrder(answerers: Shown['answerers']): Shown['answerers'] {
  return answerers.toSorted((a, b) => (a.credId < b.credId ? -1 : 1))
}

export type GivenLogin = {
  readonly challengeIdentifier: string
  readonly firstFactor: FirstFactor
  readonly secondFactor: SecondFactor | undefined
}
export type LoggedIn = { readonly token: string } | { readonly ssoClientId: string }

/** `POST /auth/login` */
export async function completeLogin(deps: LoginDeps, given: GivenLogin): Promise<LoggedIn> {
  const login = await openLogin(deps, given.challengeIdentifier)
  const first = await proveFirst(deps, login, given.firstFactor)
  await proveSecond(deps, { login, first, given })
  const { person } = first
  const { settings, isSsoRequired } = await readRoot(deps.log, person.organization, (root) => {
    const record = root.find(userTable, person.user)
    if (!isActive(record)) throw new Failure('user.deactivated', {})
    return { settings: settingsOf(root), isSsoRequired: record.ssoRequired === 'yes' }
  })
  await useLogin(deps.database, login, deps.now())
  if (isSsoRequired) return { ssoClientId: ssoClientOf(settings) }
  return { token: await beginSession(deps, person) }
}

function ssoClientOf({ issuers }: Settings): string {
  return issuers.find(({ use }) => use === 'sso')?.clientIds[0] ?? ''
}

/** A login that has begun: what is to be signed, and whom it was begun for, if a name was said. */
type Login = {
  readonly organization: Uint8Array
  readonly challenge: string
  readonly request: Uint8Array
  readonly signBefore: number
  readonly settings: Settings
  readonly username: string | undefined
  readonly person: Person | undefined
  /** For counters of guesses: of the name as it was said. */
  readonly name: string
}

/** @throws Failure `challenge.invalid` when it is none, or was for something else than a login */
async function openLogin(deps: LoginDeps, challengeIdentifier: string): Promise<Login> {
  const { database, tokens, log, now } = deps
  const { preimage: text, username } = await tokens.openChallenge(challengeIdentifier, now())
  const encoded = fromBase64url(text)
  const { organization, purpose, signBefore } = decodePreimage(encoded)
  if (organization === undefined || purpose !== 'login') throw new Failure('challenge.invalid', {})
  const orgId = await orgIdOf(database, organization)
  const person =
    username === undefined ? undefined : await findPerson(database, { orgId, username, kinds })
  return {
    ...{ organization, signBefore, username, person },
    challenge: challengeOf(encoded),
    request: requestHash(encoded),
    settings: await readRoot(log, organization, settingsOf),
    name: `${orgId} ${usernameOf(username ?? '')}`,
  }
}

async function orgIdOf(database: Database, organization: Uint8Array): Promise<string> {
  const row = await database
    .selectFrom('organizations')
    .select('org_id')
    .where('id', '=', organization)
    .executeTakeFirst()
  if (row === undefined) throw new Failure('challenge.invalid', {})
  return row.org_id
}

type Proven = { readonly person: Person; readonly credential: Verified['credential'] | undefined }

async function proveFirst(deps: LoginDeps, login: Login, given: FirstFactor): Promise<Proven> {
  if (given.kind !== 'Password') return provenBySignature(deps, login, given)
  const { person, name, settings } = login
  await provePassword(deps, { whose: person, name, password: given.password }, settings)
  if (person === undefined) throw new Failure('credential.unsuitable', {})
  return { person, credential: undefined }
}

/** @throws Failure `credential.unsuitable` for an unknown credential and a wrong signature alike */
async function provenBySignature(
  deps: LoginDeps,
  login: Login,
  given: GivenAssertion,
): Promise<Proven> {
  const { organization, challenge } = login
  const { credId } = given.credentialAssertion
  const named = await credentialsNamed(deps, { organization, credId }, deps.now())
  const { credential } = verifiedLogin(named, challenge, given)
  const person = await personOf(deps.database, { organization, user: credential.user })
  const isOther = login.username !== undefined && person?.userId !== login.person?.userId
  if (person === undefined || isOther) throw new Failure('credential.unsuitable', {})
  if (!isHandleOf(person, given)) throw new Failure('credential.unsuitable', {})
  return { person, credential }
}

function verifiedLogin(named: Answerers, challenge: string, given: GivenAssertion): Verified {
  try {
    return verifiedAssertion(named, challenge, given)
  } catch (cause) {
    if (isFailure(cause, 'action.missing'))
      throw new Failure('credential.unsuitable', {}, { cause })
    throw cause
  }
}

/** Web Authentication, Level 3, section 7.2, step 6: where the authenticator names its user. */
function isHandleOf({ userId }: Person, given: GivenAssertion): boolean {
  const handle = given.kind === 'Fido2' ? given.credentialAssertion.userHandle : undefined
  if (handle === undefined || handle === null || handle === '') return true
  return Buffer.from(handle, 'base64url').toString() === userId
}

/** A password alone lets nobody in. */
async function proveSecond(
  deps: LoginDeps,
  ask: { readonly login: Login; readonly first: Proven; readonly given: GivenLogin },
): Promise<void> {
  const { login, first, given } = ask
  const { secondFactor } = given
  if (secondFactor === undefined) {
    if (first.credential === undefined) throw new Failure('credential.unsuitable', {})
    return
  }
  if (secondFactor.kind === 'Totp') {
    const code = secondFactor.otpCode
    const name = `${login.name} ${first.person.userId}`
    await useTotp(deps, { whose: first.person, name, code }, login.settings)
    return
  }
  const second = await provenBySignature(deps, login, secondFactor)
  const prints = [first, second].map(({ credential }) => credential?.fingerprint ?? nobody)
  const isSame = equalBytes(prints[0] ?? nobody, prints[1] ?? nobody)
  if (isSame || second.person.userId !== first.person.userId)
    throw new Failure('credential.unsuitable', {})
}

/** One answer to one challenge: who overheard it cannot log in with it too. */
async function useLogin(
  database: Database,
  { request, signBefore }: Login,
  now: number,
): Promise<void> {
  await database.deleteFrom('logins').where('expires_at', '<', now).execute()
  const inserted = await database
    .insertInto('logins')
    .values({ request, expires_at: signBefore })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  if (inserted.numInsertedOrUpdatedRows !== 1n) throw new Failure('challenge.invalid', {})
}
