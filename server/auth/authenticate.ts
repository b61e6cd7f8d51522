import { sql } from 'kysely'
import { equalBytes, fromHex, toUtf8 } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { sha256 } from '@quorate/core/hash'
import { tokenTable } from '@quorate/authority/records'
import { batching } from '../database/batching.ts'
import type { Database } from '../database/database.ts'
import type { Authenticate } from '../http/app.ts'
import type { Caller } from './caller.ts'
import { idNamed, readRoot, type Log, type Root } from './log.ts'
import { recentOf, type UserRow } from './recent.ts'
import { generationIn, liveSession } from './sessions.ts'
import { checkCallerKind, checkPermissions, isActive, isTokenLive } from './standing.ts'
import type { Bearer, Tokens } from './tokens.ts'

export type AuthenticateDeps = {
  readonly database: Database
  readonly log: Pick<Log, 'read'>
  readonly tokens: Tokens
  readonly setupToken: string
  readonly now: () => number
}

/** Whoever holds the setup token acts for no organization; operations open to him look at none. */
const nobody: Caller = {
  organization: new Uint8Array(),
  orgId: '',
  user: new Uint8Array(),
  userId: '',
  username: '',
  kind: 'CustomerEmployee',
  isServiceAccount: false,
}

/** From a bearer token to a caller who may ask for this operation, as far as no body is needed. */
export function authenticateWith(deps: AuthenticateDeps): Authenticate<Caller> {
  const setupToken = sha256(toUtf8(deps.setupToken))
  const find = batching((named: readonly Named[]) => usersOf(deps.database, named))
  const { users } = recentOf(deps.database)
  const userOf = async (named: Named): Promise<UserRow | undefined> => {
    const name = `${named.orgId} ${named.userId}`
    const found = users.get(name) ?? (await find(named))
    if (found !== undefined) users.put(name, found)
    return found
  }
  return async ({ name, operation, authorization }) => {
    const token = /^Bearer ([^ ]+)$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) throw new Failure('token.invalid', {})
    if (operation.callers.includes('setup')) {
      if (!equalBytes(sha256(toUtf8(token)), setupToken)) throw new Failure('token.invalid', {})
      return nobody
    }
    const bearer = await deps.tokens.read(token, deps.now())
    // A temporary token is for the end of its one way, and nothing else is good for that.
    const isNewcomer = operation.callers.includes('newcomer')
    if (isNewcomer !== (bearer.tokenKind === 'Temp')) throw new Failure('token.invalid', {})
    const user = await userOf(bearer)
    if (user === undefined) throw new Failure('token.invalid', {})
    if (isNewcomer) return newcomerOf(deps, user, bearer)
    const session = await sessionOf(deps, user, bearer)
    return readRoot(deps.log, user.organization, (root) => {
      const caller = callerOf(root, { user, bearer, session, now: deps.now() })
      if (!isActive(root, caller.user)) {
        // The documented answer where a user signs; elsewhere such a token is simply not good.
        const isSigning = name.startsWith('auth.createUserAction')
        throw new Failure(isSigning ? 'user.deactivated' : 'token.invalid', {})
      }
      checkCallerKind(caller, name)
      checkPermissions(root, caller, operation.permissions)
      return caller
    })
  }
}

type Named = Pick<Bearer, 'orgId' | 'userId'>

/** Names for names; whether the user still is anybody, the records say. */
async function usersOf(
  database: Database,
  named: readonly Named[],
): Promise<readonly (UserRow | undefined)[]> {
  const { rows } = await sql<UserRow & { readonly number: number }>`
    select organizations.id as organization, users.id as "user", username, kind, number::int4
    from unnest(
      ${named.map(({ orgId }) => orgId)}::text[], ${named.map(({ userId }) => userId)}::text[]
    ) with ordinality as named (org_id, user_id, number)
    join organizations on organizations.org_id = named.org_id
    join users on users.organization = organizations.id and users.user_id = named.user_id
  `.execute(database)
  const byNumber = new Map(rows.map(({ number, ...row }) => [number, row]))
  return named.map((_, i) => byNumber.get(i + 1))
}

/** Whether his way has been gone to its end, `useNewcomer` sees: only one may see that it has not. */
async function newcomerOf(
  { log }: AuthenticateDeps,
  { organization, user, username, kind }: UserRow,
  { orgId, userId, tokenId }: Bearer,
): Promise<Caller> {
  const isHere = await readRoot(log, organization, (root) => isActive(root, user))
  if (!isHere || tokenId === undefined || kind === 'serviceAccount')
    throw new Failure('token.invalid', {})
  return {
    ...{ organization, orgId, user, userId, username, isServiceAccount: false },
    kind: kind === 'endUser' ? 'EndUser' : 'CustomerEmployee',
    challenge: fromHex(tokenId),
  }
}

type Session = { readonly generation: number }

async function sessionOf(
  { database, now }: AuthenticateDeps,
  { organization, user }: UserRow,
  { tokenKind, session }: Bearer,
): Promise<Session | undefined> {
  if (tokenKind !== 'Token') return undefined
  return liveSession(database, { organization, user, session }, now())
}

type Given = {
  readonly user: UserRow
  readonly bearer: Bearer
  readonly session: Session | undefined
  readonly now: number
}

function callerOf(root: Root, { user: row, bearer, session, now }: Given): Caller {
  const { organization, user, username } = row
  const { orgId, userId } = bearer
  const isServiceAccount = row.kind === 'serviceAccount'
  const token = longLived(root, bearer, user)
  // A service account has no sessions, and a session is no token of a service account.
  if (isServiceAccount !== (token?.kind === 'ServiceAccount'))
    throw new Failure('token.invalid', {})
  const isDead = token !== undefined && isActive(root, user) && !isTokenLive(root, token.id, now)
  if (isDead) throw new Failure('token.invalid', {})
  if (session !== undefined && session.generation !== generationIn(root, user, now))
    throw new Failure('token.invalid', {})
  const known = { organization, orgId, user, userId, username, isServiceAccount }
  const kind = row.kind === 'endUser' ? 'EndUser' : 'CustomerEmployee'
  const begun = bearer.session === undefined ? {} : { session: bearer.session }
  const caller = { ...known, kind, ...begun } as const
  return token === undefined ? caller : { ...caller, token }
}

/** A token that is state must be this user's; its claims are only where to look. */
function longLived(root: Root, { tokenKind, tokenId }: Bearer, user: Uint8Array): Caller['token'] {
  if (tokenKind === 'Token') return undefined
  const id = tokenId === undefined ? undefined : idNamed(root, 'token', tokenId)
  const record = id === undefined ? undefined : root.find(tokenTable, id)
  if (id === undefined || tokenId === undefined || record === undefined)
    throw new Failure('token.invalid', {})
  if (!equalBytes(record.user, user) || record.kind !== tokenKind)
    throw new Failure('token.invalid', {})
  return { id, tokenId, kind: record.kind }
}
