import { equalBytes } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { signWithinMs } from '../auth/challenge.ts'
import type { Database, DatabaseTransaction } from '../database/database.ts'

/** A user who is no machine, as far as rows know him: whether he still may anything, records say. */
export type Person = {
  readonly organization: Uint8Array
  readonly orgId: string
  readonly organizationName: string
  readonly user: Uint8Array
  readonly userId: string
  readonly username: string
  readonly kind: PersonKind
}
export type PersonKind = 'employee' | 'endUser'

/**
 * A name has one spelling, whatever its owner types on a telephone. ASCII alone: what is the same
 * letter elsewhere depends on a language and on the year.
 */
export function usernameOf(text: string): string {
  return text
    .replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}

/** Who bears this name now: an archived user has none. An employee comes before an end user. */
export async function findPerson(
  database: Database | DatabaseTransaction,
  named: {
    readonly orgId: string
    readonly username: string
    readonly kinds: readonly [PersonKind, ...PersonKind[]]
  },
): Promise<Person | undefined> {
  const found = await people(database)
    .where('organizations.org_id', '=', named.orgId)
    .where('usernames.username', '=', usernameOf(named.username))
    .where('usernames.kind', 'in', named.kinds)
    .where('usernames.lapses_at', 'is', null)
    .orderBy('usernames.kind')
    .executeTakeFirst()
  return found
}

export async function personOf(
  database: Database | DatabaseTransaction,
  { organization, user }: Pick<Person, 'organization' | 'user'>,
): Promise<Person | undefined> {
  return people(database)
    .where('usernames.organization', '=', organization)
    .where('usernames.user', '=', user)
    .where('usernames.lapses_at', 'is', null)
    .executeTakeFirst()
}

function people(database: Database | DatabaseTransaction) {
  return database
    .selectFrom('usernames')
    .innerJoin('organizations', 'organizations.id', 'usernames.organization')
    .innerJoin('users', (join) =>
      join
        .onRef('users.organization', '=', 'usernames.organization')
        .onRef('users.id', '=', 'usernames.user'),
    )
    .select([
      'usernames.organization',
      'organizations.org_id as orgId',
      'organizations.name as organizationName',
      'users.id as user',
      'users.user_id as userId',
      'usernames.username',
      'usernames.kind',
    ])
}

/** The name is this user's from now on: he is in force, and whoever claims it still is not. */
export async function addUsername(
  transaction: DatabaseTransaction,
  named: Pick<Person, 'organization' | 'user' | 'kind' | 'username'>,
): Promise<void> {
  const { organization, user, kind, username } = named
  await transaction
    .insertInto('usernames')
    .values({ organization, kind, username, user, lapses_at: null })
    .onConflict((conflict) =>
      conflict.columns(['organization', 'kind', 'username']).doUpdateSet({ user, lapses_at: null }),
    )
    .execute()
}

/**
 * Two people of one name could not be told apart. A claim lapses with its request; until then, and
 * once he bears the name, it is his to claim again.
 * @throws Failure `user.already_exists`
 */
export async function claimUsername(
  transaction: DatabaseTransaction,
  claimed: Pick<Person, 'organization' | 'user' | 'kind' | 'username'> & { readonly now: number },
): Promise<void> {
  const { organization, user, kind, username, now } = claimed
  const claim = { user, lapses_at: now + signWithinMs }
  const { numInsertedOrUpdatedRows } = await transaction
    .insertInto('usernames')
    .values({ organization, kind, username, ...claim })
    .onConflict((conflict) =>
      conflict
        .columns(['organization', 'kind', 'username'])
        .doUpdateSet(claim)
        .where((eb) =>
          eb.or([
            eb('usernames.lapses_at', '<', now),
            eb.and([eb('usernames.lapses_at', 'is not', null), eb('usernames.user', '=', user)]),
          ]),
        ),
    )
    .executeTakeFirst()
  if (numInsertedOrUpdatedRows === 1n) return
  const bearer = await transaction
    .selectFrom('usernames')
    .select('user')
    .where('organization', '=', organization)
    .where('kind', '=', kind)
    .where('username', '=', username)
    .executeTakeFirst()
  if (bearer === undefined || !equalBytes(bearer.user, user))
    throw new Failure('user.already_exists', {})
}

/** Nothing came of it, so the name is free. */
export async function freeUsername(
  database: Database,
  { organization, user }: Pick<Person, 'organization' | 'user'>,
): Promise<void> {
  await database
    .deleteFrom('usernames')
    .where('organization', '=', organization)
    .where('user', '=', user)
    .where('lapses_at', 'is not', null)
    .execute()
}
