import { idOf, nameOf } from '@quorate/core/id'
import { isObject, parseJson } from '@quorate/core/json'
import { nameOfCause } from '@quorate/authority/reduce/cause'
import { addCredentials, broughtIn } from '../auth/add-credentials.ts'
import { endCode } from '../auth/codes.ts'
import type { DatabaseTransaction } from '../database/database.ts'
import { enqueueMail, isAddress, takeBackMail } from '../mail/queue.ts'
import type { Mail } from '../mail/templates.ts'
import type { Applied } from '../orgs/apply.ts'
import { personOf, type Person } from '../users/person.ts'

/** For how long a notice of what has happened is worth sending. */
const noticeMs = 30 * 24 * 60 * 60_000

/**
 * Rows of a recovery that is in force, and the notices to where its user was reached until now: a
 * warning while there is something to stop, and word of the end when that comes.
 */
export async function addRecovery(
  transaction: DatabaseTransaction,
  { organization, item, evidence, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'recovery') throw new TypeError('not a recovery')
  const { user, credentials, effectiveAt } = item.operation
  const request = nameOfCause(item.cause)
  const id = idOf(request, 'recovery')
  const body = parseJson(evidence.payload)
  const given = broughtIn(isObject(body) ? body['newCredentials'] : undefined)
  await addCredentials(transaction, { organization, user, request, time, credentials, given })
  await endCode(transaction, { organization, user }, 'recovery')
  const recoveryId = nameOf('recovery', id)
  const person = await personOf(transaction, { organization, user })
  const last_mail = await notify(transaction, person, {
    ...{ recoveryId, time, effectiveAt },
  })
  await transaction
    .insertInto('recoveries')
    .values({
      ...{ organization, id, recovery_id: recoveryId, user, last_mail },
      ...{ created_at: time, effective_at: effectiveAt },
    })
    .execute()
}

async function notify(
  transaction: DatabaseTransaction,
  person: Person | undefined,
  {
    recoveryId,
    time,
    effectiveAt,
  }: { readonly recoveryId: string; readonly time: number; readonly effectiveAt: number },
): Promise<string | null> {
  if (person === undefined) return null
  const values = valuesOf(person)
  if (time < effectiveAt)
    await post(transaction, person, {
      mail: { template: 'recovery-notice', values: { ...values, recoveryId, effectiveAt } },
      ...{ now: time, expiresAt: effectiveAt },
    })
  return post(transaction, person, {
    mail: { template: 'recovery-effective', values: { ...values, at: effectiveAt } },
    ...{ now: effectiveAt, expiresAt: effectiveAt + noticeMs },
  })
}

/** Cancelled: whatever has been announced does not come. */
export async function endRecovery(
  transaction: DatabaseTransaction,
  { organization, item, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'recoveryEnd') throw new TypeError('not the end of a recovery')
  const { recovery: id } = item.operation
  const row = await transaction
    .selectFrom('recoveries')
    .select(['recovery_id as recoveryId', 'user', 'last_mail'])
    .where('organization', '=', organization)
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const { recoveryId, user, last_mail } = row
  if (last_mail !== null) await takeBackMail(transaction, { organization, id: last_mail })
  const person = await personOf(transaction, { organization, user })
  if (person === undefined) return
  await post(transaction, person, {
    mail: {
      template: 'recovery-cancelled',
      values: { ...valuesOf(person), recoveryId, at: time },
    },
    ...{ now: time, expiresAt: time + noticeMs },
  })
}

function valuesOf({ orgId, organizationName: organization, username }: Person) {
  return { orgId, organization, username }
}

/** A name that is no address is reached by nobody: its owner's own application must tell him. */
async function post(
  transaction: DatabaseTransaction,
  { organization, username: recipient }: Person,
  letter: { readonly mail: Mail; readonly now: number; readonly expiresAt: number },
): Promise<string | null> {
  if (!isAddress(recipient)) return null
  return enqueueMail(transaction, { organization, recipient, ...letter })
}
