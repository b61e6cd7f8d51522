import { randomBytes } from 'node:crypto'
import { toUtf8 } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { hashOf } from '@quorate/core/hash'
import { userTable } from '@quorate/authority/records'
import { generationOf } from '@quorate/authority/standing'
import type { ItemOperation } from '@quorate/authority/step'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import type { Caller } from './caller.ts'
import { readRoot, type Log, type Root } from './log.ts'
import type { Tokens } from './tokens.ts'

export type SessionDeps = {
  readonly database: Database
  readonly log: Pick<Log, 'read'>
  readonly tokens: Tokens
  readonly now: () => number
}

/** A working day. */
export const sessionMs = 6 * 60 * 60_000
/** More than one login brings in: the table shrinks, and no login cleans up for all the others. */
const forgottenAtOnce = 100

type Named = {
  readonly organization: Uint8Array
  readonly orgId: string
  readonly user: Uint8Array
  readonly userId: string
  readonly username: string
}

/** @returns the bearer token of a new session, for a user who has just been found to be himself */
export async function beginSession(
  deps: SessionDeps,
  named: Named,
  until = deps.now() + sessionMs,
): Promise<string> {
  const { database, log, tokens, now } = deps
  const { organization, user, orgId, userId, username } = named
  const session = randomBytes(32).toString('base64url')
  const [began_at, expires_at] = [now(), until]
  const generation = await readRoot(log, organization, (root) => generationIn(root, user, began_at))
  if (generation === undefined) throw new Failure('token.invalid', {})
  await forgetOld(database, began_at)
  await database
    .insertInto('sessions')
    .values({
      ...{ organization, id: idOfSession(session), user, generation, began_at, expires_at },
      ended_at: null,
    })
    .execute()
  const bearer = { orgId, userId, username, tokenKind: 'Token', session } as const
  return tokens.issue(bearer, { from: began_at, until: expires_at })
}

/**
 * `POST /auth/tokens`: another token of the same login, which ends when the first would have. Else
 * who has stolen one could keep it alive for ever.
 */
export async function exchangeSession(deps: SessionDeps, caller: Caller): Promise<string> {
  const { organization, user, session } = caller
  const given = { organization, user, session }
  const { expires_at } = await liveSession(deps.database, given, deps.now())
  return beginSession(deps, caller, expires_at)
}

/** @throws Failure `token.invalid` unless it is in force, and this user's */
export async function liveSession(
  database: Database,
  {
    organization,
    user,
    session,
  }: Pick<Named, 'organization' | 'user'> & { readonly session: string | undefined },
  now: number,
): Promise<{ readonly generation: number; readonly expires_at: number }> {
  if (session === undefined) throw new Failure('token.invalid', {})
  const row = await database
    .selectFrom('sessions')
    .select(['generation', 'expires_at'])
    .where('organization', '=', organization)
    .where('id', '=', idOfSession(session))
    .where('user', '=', user)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  if (row === undefined) throw new Failure('token.invalid', {})
  return row
}

/** Which credentials of his count now: a session of another generation is over. */
export function generationIn(root: Root, user: Uint8Array, now: number): number | undefined {
  const record = root.find(userTable, user)
  return record && generationOf(record, now)
}

/** `PUT /auth/logout` */
export async function logOut(
  { database, now }: Pick<SessionDeps, 'database' | 'now'>,
  { organization, user, session }: Caller,
  { allSessions }: { readonly allSessions: boolean },
): Promise<void> {
  if (allSessions) return endSessions(database, { organization, user }, now())
  if (session === undefined) throw new Failure('token.invalid', {})
  await database
    .updateTable('sessions')
    .set({ ended_at: now() })
    .where('organization', '=', organization)
    .where('id', '=', idOfSession(session))
    .execute()
}

/** @param until those that began later stay, so that a log read again ends nothing new */
export async function endSessions(
  database: Database | DatabaseTransaction,
  { organization, user }: Pick<Named, 'organization' | 'user'>,
  until: number,
): Promise<void> {
  await database
    .updateTable('sessions')
    .set({ ended_at: until })
    .where('organization', '=', organization)
    .where('user', '=', user)
    .where('began_at', '<=', until)
    .where('ended_at', 'is', null)
    .execute()
}

/**
 * Whoever was switched off logs in anew: what was in force before does not come back with him. A
 * recovery needs nothing here, as its sessions are of another generation.
 */
export function userWhoseSessionsEnd(operation: ItemOperation): Uint8Array | undefined {
  return operation.kind === 'userStatus' ? operation.user : undefined
}

function idOfSession(session: string): Uint8Array {
  return hashOf('quorate/session/1', toUtf8(session))
}

/** Rows that somebody else is just deleting are left to him: no login waits for another. */
async function forgetOld(database: Database, now: number): Promise<void> {
  const old = database
    .selectFrom('sessions')
    .select('id')
    .where('expires_at', '<=', now)
    .limit(forgottenAtOnce)
    .forUpdate()
    .skipLocked()
  await database.deleteFrom('sessions').where('id', 'in', old).execute()
}
