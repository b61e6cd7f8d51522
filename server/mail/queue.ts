import { randomUUID } from 'node:crypto'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import { address } from './carrier.ts'
import { attemptMsMax } from './smtp.ts'
import type { MailRow } from './tables.ts'
import type { Mail } from './templates.ts'

export type Posting = {
  readonly organization: Uint8Array
  readonly recipient: string
  readonly mail: Mail
  readonly now: number
  /** When its code has expired, or nobody would want it any more. */
  readonly expiresAt: number
}

/**
 * Takes a mail into the transaction of whatever causes it: either both come about or neither.
 * From then on it may reach its reader twice, and is lost only by expiring.
 *
 * @param posting.now when it is due: a later moment makes it wait
 * @returns what it is taken back by
 * @throws TypeError for what is no address: whoever takes one in has checked it
 */
export async function enqueueMail(
  transaction: DatabaseTransaction,
  { organization, recipient, mail, now, expiresAt }: Posting,
): Promise<string> {
  const id = randomUUID()
  if (!isAddress(recipient)) throw new TypeError('a mail goes to one address')
  await transaction
    .insertInto('mails')
    .values({
      ...{ organization, id, recipient, template: mail.template },
      values_json: JSON.stringify(mail.values),
      ...{ attempts: 0, next_try: now, expires_at: expiresAt, created_at: now },
      ...{ lease_holder: null, lease_until: 0, sent_at: null, given_up_at: null },
    })
    .execute()
  return id
}

/** Of a mail that is not due yet: what it would say does not happen. */
export async function takeBackMail(
  transaction: DatabaseTransaction,
  { organization, id }: Pick<MailRow, 'organization' | 'id'>,
): Promise<void> {
  await transaction
    .deleteFrom('mails')
    .where('organization', '=', organization)
    .where('id', '=', id)
    .where('sent_at', 'is', null)
    .execute()
}

export function isAddress(text: string): boolean {
  return address.safeParse(text).success
}

/** Longer than an attempt, so that another worker takes only what a dead one has left. */
export const leaseMs = attemptMsMax + 20_000

/** Takes mails that are due and that nobody has, the longest due first. */
export async function leaseMails(
  database: Database,
  count: number,
  now: number,
): Promise<readonly MailRow[]> {
  const due = database
    .selectFrom('mails')
    .select(['organization', 'id'])
    .where('next_try', '<=', now)
    .where('lease_until', '<', now)
    .orderBy('next_try')
    .limit(count)
  return database
    .updateTable('mails')
    .set({ lease_holder: randomUUID(), lease_until: now + leaseMs })
    .where((eb) => eb(eb.refTuple('organization', 'id'), 'in', due.$asTuple('organization', 'id')))
    .where('next_try', '<=', now)
    .where('lease_until', '<', now)
    .returningAll()
    .execute()
}

/** It ends here, and so do address and content: whoever reads the table later finds no code. */
export async function layToRest(
  database: Database,
  { organization, id }: Pick<MailRow, 'organization' | 'id'>,
  end: { readonly sent_at: number } | { readonly given_up_at: number },
): Promise<void> {
  await database
    .updateTable('mails')
    .set({ ...end, recipient: null, values_json: null, next_try: null, lease_holder: null })
    .where('organization', '=', organization)
    .where('id', '=', id)
    .where('next_try', 'is not', null)
    .execute()
}

export async function postpone(database: Database, row: MailRow, nextTry: number): Promise<void> {
  await database
    .updateTable('mails')
    .set({ next_try: nextTry, attempts: row.attempts + 1, lease_holder: null, lease_until: 0 })
    .where('organization', '=', row.organization)
    .where('id', '=', row.id)
    .where('lease_holder', '=', row.lease_holder)
    .execute()
}

/** What is left of a mail, that it was sent and when, answers questions for a month. */
const keptMs = 30 * 24 * 60 * 60_000

/** Rows of one statement. */
const forgottenAtOnce = 1_000

/** @returns whether there may be more */
export async function forgetOldMails(database: Database, now: number): Promise<boolean> {
  const old = database
    .selectFrom('mails')
    .select(['organization', 'id'])
    .where('next_try', 'is', null)
    .where('created_at', '<', now - keptMs)
    .orderBy('created_at')
    .limit(forgottenAtOnce)
  const { numDeletedRows } = await database
    .deleteFrom('mails')
    .where((eb) => eb(eb.refTuple('organization', 'id'), 'in', old.$asTuple('organization', 'id')))
    .executeTakeFirst()
  return numDeletedRows === BigInt(forgottenAtOnce)
}
