import { nameOf } from '@quorate/core/id'
import type { DatabaseTransaction } from '../database/database.ts'
import { nameOfCause } from '@quorate/authority/reduce/cause'
import { mailCode } from '../auth/codes.ts'
import type { Applied } from '../orgs/apply.ts'
import { wordIn } from '../orgs/words.ts'
import { archiveTokens } from '../pats/add.ts'
import { addEndUserGrant } from '../permissions/add.ts'
import { addUsername, personOf, usernameOf } from './person.ts'

/**
 * Rows of a new user. Whoever is invited gets his code in the same transaction: a server that dies
 * before has invited nobody, and does so at its next start.
 */
export async function addUser(
  transaction: DatabaseTransaction,
  { organization, item, evidence, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'user') throw new TypeError('not a user')
  const { user: id, userKind: kind, origin } = item.operation
  const username = usernameOf(wordIn(evidence, 'email') ?? '')
  await transaction
    .insertInto('users')
    .values({
      ...{ organization, id, user_id: nameOf('user', id), kind, username, created_at: time },
      external_id: wordIn(evidence, 'externalId') ?? null,
    })
    .execute()
  // Whoever is erased has no name, and nobody else has that one either.
  if (username !== '') await addUsername(transaction, { organization, user: id, kind, username })
  const request = nameOfCause(item.cause)
  if (kind === 'endUser')
    await addEndUserGrant(transaction, { organization, request, user: id, time })
  const person = await personOf(transaction, { organization, user: id })
  if (origin === 'invited' && person !== undefined)
    await mailCode(transaction, { person, purpose: 'registration', now: time })
}

/** Whoever is archived leaves his name, his tokens, his codes and whatever he has begun. */
export async function changeUserStatus(
  transaction: DatabaseTransaction,
  { organization, item, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'userStatus') throw new TypeError('not the status of a user')
  const { user, status } = item.operation
  if (status !== 'archived') return
  await archiveTokens(transaction, { organization, user, time })
  for (const table of ['usernames', 'one_time_codes', 'newcomer_challenges'] as const)
    await transaction
      .deleteFrom(table)
      .where('organization', '=', organization)
      .where('user', '=', user)
      .execute()
}
