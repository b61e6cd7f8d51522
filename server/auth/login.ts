import { fromBase64url, toBase64url, toHex } from '@quorate/core/bytes'
import { Failure, isFailure } from '@quorate/core/failure'
import { challengeOf, decodePreimage, requestHash } from '@quorate/authority/request'
import type { Database } from '../database/database.ts'
import { assertionChallenge, makeChallenge } from './challenge.ts'
import { usableCredentials, verifiedAssertion, type GivenAssertion } from './credentials.ts'
import { readRoot, type Log } from './log.ts'
import { isActive } from './standing.ts'
import type { Tokens } from './tokens.ts'

export type LoginDeps = {
  readonly database: Database
  readonly log: Pick<Log, 'read'>
  readonly tokens: Tokens
  readonly now: () => number
}

/** A working day. */
const sessionMs = 6 * 60 * 60_000
/** Asked for anew by whoever logs in; what is signed names nothing but the login itself. */
const path = '/auth/login'

type User = {
  readonly organization: Uint8Array
  readonly orgId: string
  readonly user: Uint8Array
  readonly userId: string
  readonly username: string
}

/** Nothing is stored: the client carries its challenge, and only answered ones leave a trace. */
export async function initLogin(
  deps: LoginDeps,
  asked: { readonly orgId: string; readonly username: string | undefined },
) {
  if (asked.username === undefined)
    throw new Failure('request.unsupported', { reason: 'body.username is needed' })
  const user = await usersWhere(deps.database)
    .where('org_id', '=', asked.orgId)
    .where('username', '=', asked.username)
    .where('kind', '=', 'employee')
    .executeTakeFirst()
  if (user === undefined) throw new Failure('user.not_found', {})
  const usable = await usableOf(deps, user)
  const { tokens, now } = deps
  const { organization, user: id } = user
  const issuedAt = now()
  const challenge = makeChallenge({ purpose: 'login', organization, user: id, path }, '', issuedAt)
  const identifier = await tokens.sealChallenge(
    { preimage: toBase64url(challenge.preimage), salt: toHex(challenge.salt) },
    { from: issuedAt, until: challenge.signBefore },
  )
  return assertionChallenge(
    challenge,
    identifier,
    usable.map(({ credId }) => credId),
  )
}

export async function completeLogin(
  deps: LoginDeps,
  given: { readonly challengeIdentifier: string; readonly assertion: GivenAssertion },
): Promise<string> {
  const { database, tokens, now } = deps
  const sealed = await tokens.openChallenge(given.challengeIdentifier, now())
  const encoded = fromBase64url(sealed.preimage)
  const preimage = decodePreimage(encoded)
  if (preimage.organization === undefined || preimage.user === undefined)
    throw new Failure('challenge.invalid', {})
  const user = await usersWhere(database)
    .where('users.organization', '=', preimage.organization)
    .where('users.id', '=', preimage.user)
    .executeTakeFirst()
  if (user === undefined) throw new Failure('user.not_found', {})
  const usable = await usableOf(deps, user)
  try {
    verifiedAssertion(usable, challengeOf(encoded), given.assertion)
  } catch (error) {
    if (isFailure(error, 'action.missing')) throw new Failure('credential.unsuitable', {})
    throw error
  }
  await useLogin(database, requestHash(encoded), preimage.signBefore, now())
  return issueSession(tokens, user, now())
}

/** A session token for a user who has just proved to be himself. */
export function issueSession(
  tokens: Tokens,
  { orgId, userId, username }: Pick<User, 'orgId' | 'userId' | 'username'>,
  now: number,
): Promise<string> {
  const bearer = { orgId, userId, username, tokenKind: 'Token' } as const
  return tokens.issue(bearer, { from: now, until: now + sessionMs })
}

function usersWhere(database: Database) {
  return database
    .selectFrom('users')
    .innerJoin('organizations', 'organizations.id', 'users.organization')
    .select([
      'users.organization',
      'org_id as orgId',
      'users.id as user',
      'user_id as userId',
      'username',
    ])
}

async function usableOf(deps: LoginDeps, { organization, user }: User) {
  if (!(await readRoot(deps.log, organization, (root) => isActive(root, user))))
    throw new Failure('user.deactivated', {})
  const usable = await usableCredentials(deps, {
    ...{ organization, user, token: undefined },
    time: deps.now(),
  })
  if (usable.length === 0) throw new Failure('credential.unsuitable', {})
  return usable
}

/** One answer to one challenge: who overheard it cannot log in with it too. */
async function useLogin(
  database: Database,
  request: Uint8Array,
  expiresAt: number,
  now: number,
): Promise<void> {
  await database.deleteFrom('logins').where('expires_at', '<', now).execute()
  const inserted = await database
    .insertInto('logins')
    .values({ request, expires_at: expiresAt })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  if (inserted.numInsertedOrUpdatedRows !== 1n) throw new Failure('challenge.invalid', {})
}
