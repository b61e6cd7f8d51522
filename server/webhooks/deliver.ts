import { inTransaction, type Database, type DatabaseTransaction } from '../database/database.ts'
import { blank, namesOf } from './dispatch.ts'
import { callFirst, lockLines } from './lease.ts'
import { received, sendTo, type Received, type SendDeps } from './send.ts'
import type { Delivery, WebhookRow } from './tables.ts'

export type DeliverDeps = SendDeps & { readonly database: Database; readonly now: () => number }

const minuteMs = 60_000
/**
 * From an attempt that failed to the next: as documented, these are made a minute, twelve minutes,
 * two hours and a day after the first. A server that was away itself takes none of that from the receiver.
 */
export const retryMs: readonly number[] = [1, 11, 108, 1_320].map((minutes) => minutes * minuteMs)

/** Of an attempt: `lost` was the last one of its event. `dropped` was not made, or noted by another. */
export type Attempted =
  | { readonly came: 'received' | 'again' | 'lost'; readonly status: string }
  | { readonly came: 'dropped' }

/**
 * Makes one attempt, and writes down what came of it. First sent, then noted: whoever dies in between
 * leaves a lease that ends, and the same event goes out again under the same id.
 */
export async function deliver(deps: DeliverDeps, row: Delivery): Promise<Attempted> {
  const { database, now } = deps
  const webhook = await enabled(database, row)
  const told = await toldOf(database, row)
  if (webhook === undefined || told === undefined) {
    await drop(deps, row)
    return { came: 'dropped' }
  }
  const sentAt = now()
  const sent = await sendTo(deps, webhook, told, sentAt)
  const isReceived = sent.status === received
  const waitMs = isReceived ? undefined : retryMs[row.attempt - 1]
  if (!(await note(deps, row, { sentAt, waitMs, ...sent }))) return { came: 'dropped' }
  await mark(database, webhook, isReceived ? null : sentAt)
  const { status } = sent
  if (isReceived) return { came: 'received', status }
  return { came: waitMs === undefined ? 'lost' : 'again', status }
}

async function enabled(database: Database, row: Delivery): Promise<WebhookRow | undefined> {
  return database
    .selectFrom('webhooks')
    .selectAll()
    .where('organization', '=', row.organization)
    .where('id', '=', row.webhook)
    .where('status', '=', 'Enabled')
    .executeTakeFirst()
}

async function toldOf(database: Database, row: Delivery) {
  const event = await database
    .selectFrom('outbox')
    .select('data')
    .where('organization', '=', row.organization)
    .where('id', '=', row.event)
    .executeTakeFirst()
  return (
    event && {
      ...{ id: row.delivery_id, kind: row.kind, date: new Date(row.raised_at).toISOString() },
      ...{ data: JSON.parse(event.data), deliveryAttempt: row.attempt },
      ...(row.first === null ? {} : { retryOf: row.first }),
    }
  )
}

type Clocked = Pick<DeliverDeps, 'database' | 'now'>
type Noted = Received & {
  readonly sentAt: number
  /** Until the next attempt, if there is to be one. */
  readonly waitMs: number | undefined
}

/** @returns whether it was noted: a worker that has lost its lease notes nothing */
function note(deps: Clocked, row: Delivery, sent: Noted): Promise<boolean> {
  const { status, error = null, sentAt, waitMs } = sent
  const next = waitMs === undefined ? null : sentAt + waitMs
  return ending(deps, row, async (transaction) => {
    const { numUpdatedRows } = await transaction
      .updateTable('deliveries')
      .set({
        ...{ status, error, sent_at: sentAt, next_attempt_at: next },
        ...{ due_at: null, ready: false, lease_holder: null },
      })
      .where('organization', '=', row.organization)
      .where('id', '=', row.id)
      .where('lease_holder', '=', row.lease_holder)
      .executeTakeFirst()
    if (numUpdatedRows === 1n && next !== null)
      await transaction.insertInto('deliveries').values(nextAttempt(row, next)).execute()
    return numUpdatedRows === 1n
  })
}

/** For operators alone, so it may be lost where the server dies; written where it changes. */
async function mark(
  database: Database,
  webhook: WebhookRow,
  failing: number | null,
): Promise<void> {
  if ((webhook.failing_since === null) === (failing === null)) return
  await database
    .updateTable('webhooks')
    .set({ failing_since: failing })
    .where('organization', '=', webhook.organization)
    .where('id', '=', webhook.id)
    .where('failing_since', failing === null ? 'is not' : 'is', null)
    .execute()
}

function nextAttempt(row: Delivery, due_at: number): Delivery {
  const attempt = row.attempt + 1
  return {
    ...row,
    ...blank,
    ...namesOf({ id: row.webhook }, { id: row.event }, attempt),
    ...{ attempt, first: row.first ?? row.delivery_id, due_at },
  }
}

/** There is nobody to tell: the attempt before it was the last. */
async function drop(deps: Clocked, row: Delivery): Promise<void> {
  await ending(deps, row, async (transaction) => {
    await transaction
      .deleteFrom('deliveries')
      .where('organization', '=', row.organization)
      .where('id', '=', row.id)
      .execute()
    const { id } = namesOf({ id: row.webhook }, { id: row.event }, row.attempt - 1)
    await transaction
      .updateTable('deliveries')
      .set({ next_attempt_at: null })
      .where('organization', '=', row.organization)
      .where('id', '=', id)
      .execute()
  })
}

/** With the end of a first attempt, in one transaction, the next event of its subject is ready. */
function ending<T>(
  { database, now }: Clocked,
  { organization, webhook, subject, attempt }: Delivery,
  end: (transaction: DatabaseTransaction) => Promise<T>,
): Promise<T> {
  return inTransaction(database, async (transaction) => {
    if (attempt > 1 || subject === null) return end(transaction)
    await lockLines(transaction, { organization, webhook })
    const ended = await end(transaction)
    await callFirst(transaction, [{ organization, webhook, subject }], now())
    return ended
  })
}
