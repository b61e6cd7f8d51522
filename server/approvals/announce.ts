import { userTable } from '@quorate/authority/records'
import { has, isActive, rightsOf } from '@quorate/authority/standing'
import { readRoot, type Log } from '../auth/log.ts'
import { inTransaction, type Database, type DatabaseTransaction } from '../database/database.ts'
import { enqueueMail, isAddress } from '../mail/queue.ts'
import type { Mail } from '../mail/templates.ts'
import { personOf, type Person } from '../users/person.ts'
import { recordEvent } from '../outbox.ts'
import { statusOf, type ApprovalStatus } from './find.ts'
import type { Outcome } from './resolver.ts'
import type { ShownDeps } from './shown.ts'
import type { ApprovalRow } from './tables.ts'
import { openingEvents } from './told.ts'

export type AnnounceDeps = ShownDeps & { readonly log: Pick<Log, 'read'> }

/** Where anybody may approve, so many are written to; the others find it in their lists. */
export const recipientsMax = 64
/** For how long word of an end is worth sending. */
const noticeMs = 7 * 24 * 60 * 60_000

/**
 * Writes to everybody who may approve, and tells receivers of events, once: in the transaction that
 * says that it was done. Nobody is asked about what is decided already.
 */
export async function announce(deps: AnnounceDeps, row: ApprovalRow): Promise<void> {
  const { database, now } = deps
  if (row.announced_at !== null) return
  const approvers = statusOf(row, now()) === 'Pending' ? await approversOf(deps, row) : []
  const events = await openingEvents(deps, row)
  await inTransaction(database, async (transaction) => {
    const { numUpdatedRows } = await transaction
      .updateTable('approvals')
      .set({ announced_at: now() })
      .where('organization', '=', row.organization)
      .where('id', '=', row.id)
      .where('announced_at', 'is', null)
      .executeTakeFirst()
    if (numUpdatedRows !== 1n) return
    for (const event of events) await recordEvent(transaction, event)
    for (const user of approvers.slice(0, recipientsMax)) {
      const person = await personOf(transaction, { organization: row.organization, user })
      if (person !== undefined) await ask(transaction, person, row, now())
    }
  })
}

async function approversOf(
  { database, log }: AnnounceDeps,
  row: ApprovalRow,
): Promise<readonly Uint8Array[]> {
  const candidates = await candidatesOf(database, row)
  return readRoot(log, row.organization, (root) =>
    candidates.filter(
      (user) =>
        isActive(root.find(userTable, user)) &&
        has(rightsOf(root, user, undefined), 'Policies:Approvals:Approve'),
    ),
  )
}

/** Employees who are named, or all; whoever asked knows of it. */
async function candidatesOf(database: Database, row: ApprovalRow): Promise<readonly Uint8Array[]> {
  const { approvers } = await database
    .selectFrom('approvals')
    .select('approvers')
    .where('organization', '=', row.organization)
    .where('id', '=', row.id)
    .executeTakeFirstOrThrow()
  const names = approvers === null || approvers === '*' ? undefined : approvers.trim().split(' ')
  const users = await database
    .selectFrom('users')
    .select('id')
    .where('organization', '=', row.organization)
    .where('kind', '=', 'employee')
    .where('user_id', '<>', row.initiator_id)
    .where((eb) => (names === undefined ? eb.lit(true) : eb('user_id', 'in', names)))
    .orderBy('created_at')
    .limit(candidatesMax)
    .execute()
  return users.map(({ id }) => id)
}
/** Of those some may not approve, or not any more. */
const candidatesMax = 4 * recipientsMax

/** What a mail calls it; what exactly is asked, whoever decides has to see where he signs. */
const words: { readonly [Kind in ApprovalRow['activity_kind']]: string } = {
  'Wallets:Sign': 'the use of a wallet',
  'Permissions:Modify': 'the change of a permission',
  'Permissions:Assign': 'the change of who has a permission',
  'Policies:Modify': 'the change of a policy',
  'Policies:Create': 'a new policy',
}

async function ask(
  transaction: DatabaseTransaction,
  person: Person,
  row: ApprovalRow,
  now: number,
): Promise<void> {
  await post(transaction, person, {
    mail: {
      template: 'approval-wanted',
      values: {
        ...valuesOf(person),
        approvalId: row.approval_id,
        what: words[row.activity_kind],
        until: row.expires_at,
      },
    },
    ...{ now, expiresAt: row.expires_at },
  })
}

/** Machines read no mail: they have no address. */
export async function tellInitiator(
  transaction: DatabaseTransaction,
  row: ApprovalRow,
  { status, outcome, now }: Outcome & { readonly status: ApprovalStatus; readonly now: number },
): Promise<void> {
  const { organization, initiator_id: userId } = row
  const user = await transaction
    .selectFrom('users')
    .select('id')
    .where('organization', '=', organization)
    .where('user_id', '=', userId)
    .where('kind', '=', 'employee')
    .executeTakeFirst()
  const person = user && (await personOf(transaction, { organization, user: user.id }))
  if (person === undefined) return
  const how = outcome === 'Failed' ? 'Approved, but failed' : status
  await post(transaction, person, {
    mail: {
      template: 'approval-resolved',
      values: {
        ...valuesOf(person),
        ...{ approvalId: row.approval_id, what: words[row.activity_kind], how, at: now },
      },
    },
    ...{ now, expiresAt: now + noticeMs },
  })
}

function valuesOf({ orgId, organizationName: organization, username }: Person) {
  return { orgId, organization, username }
}

async function post(
  transaction: DatabaseTransaction,
  { organization, username: recipient }: Person,
  letter: { readonly mail: Mail; readonly now: number; readonly expiresAt: number },
): Promise<void> {
  if (isAddress(recipient)) await enqueueMail(transaction, { organization, recipient, ...letter })
}
