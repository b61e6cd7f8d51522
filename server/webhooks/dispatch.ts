import { hashOf } from '@quorate/core/hash'
import { nameOf } from '@quorate/core/id'
import { toHex } from '@quorate/core/bytes'
import { isObject, type Json } from '@quorate/core/json'
import { inTransaction, type Database, type DatabaseTransaction } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { callFirst, dueAt, type Line, strangersMark } from './lease.ts'
import type { Delivery, WebhookRow } from './tables.ts'

type EventRow = Tables['outbox']

/** Five webhooks each: one statement takes their rows in. */
export const eventsAtOnce = 200

/**
 * Finds out who is to be told of what has happened, and forgets what nobody wants to hear.
 *
 * Rows are locked in their order, and a second server waits at the first of them: whatever it takes
 * then comes later, so that no event of a wallet is due before an earlier one of it is.
 *
 * @returns how many events there were
 */
export function dispatchEvents(database: Database, now: number): Promise<number> {
  return inTransaction(database, async (transaction) => {
    const events = await transaction
      .selectFrom('outbox')
      .selectAll()
      .where('dispatched_at', 'is', null)
      .orderBy('id')
      .limit(eventsAtOnce)
      .forUpdate()
      .execute()
    if (events.length === 0) return 0
    const webhooks = await enabledWebhooks(transaction, events)
    const due = events.flatMap((event) =>
      (webhooks.get(toHex(event.organization)) ?? [])
        .filter((webhook) => wants(webhook, event.kind))
        .map((webhook) => firstAttempt(event, webhook, now)),
    )
    if (due.length > 0) {
      await transaction.insertInto('deliveries').values(due).execute()
      await callFirst(transaction, linesOf(due), now)
    }
    await settle(transaction, events, due, now)
    return events.length
  })
}

async function enabledWebhooks(
  transaction: DatabaseTransaction,
  events: readonly EventRow[],
): Promise<ReadonlyMap<string, readonly WebhookRow[]>> {
  const organizations = [...byOrganization(events).values()].map(
    ([{ organization }]) => organization,
  )
  const rows = await transaction
    .selectFrom('webhooks')
    .selectAll()
    .where('organization', 'in', organizations)
    .where('status', '=', 'Enabled')
    // As `lockLines` does.
    .orderBy('organization')
    .orderBy('id')
    .forUpdate()
    .execute()
  return byOrganization(rows)
}

function byOrganization<T extends { readonly organization: Uint8Array }>(
  rows: readonly T[],
): ReadonlyMap<string, readonly [T, ...T[]]> {
  const groups = new Map<string, [T, ...T[]]>()
  for (const row of rows) {
    const name = toHex(row.organization)
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [row])
    else group.push(row)
  }
  return groups
}

function wants({ events }: WebhookRow, kind: string): boolean {
  const subscribed: readonly string[] = JSON.parse(events)
  return subscribed.includes('*') || subscribed.includes(kind)
}

function firstAttempt(event: EventRow, webhook: WebhookRow, now: number): Delivery {
  const subject = subjectOf(JSON.parse(event.data)) ?? null
  return {
    ...blank,
    ...namesOf(webhook, event, 1),
    ...{ organization: event.organization, webhook: webhook.id, event: event.id },
    ...{ kind: event.kind, subject, ready: subject === null },
    ...{ attempt: 1, first: null, raised_at: event.created_at, due_at: dueAt(subject, now) },
  }
}

function linesOf(due: readonly Delivery[]): readonly Line[] {
  const lines = new Map<string, Line>()
  for (const { organization, webhook, subject } of due)
    if (subject !== null)
      lines.set(`${toHex(organization)}/${toHex(webhook)}/${subject}`, {
        ...{ organization, webhook, subject },
      })
  return [...lines.values()]
}

/** What no attempt has before it is made. */
export const blank = {
  ...{ ready: false, lease_holder: null, sent_at: null },
  ...{ status: null, error: null, next_attempt_at: null },
} as const

/** One attempt has one id, whoever makes it and however often. */
export function namesOf(
  { id: webhook }: { readonly id: Uint8Array },
  { id: event }: { readonly id: Uint8Array },
  attempt: number,
): Pick<Delivery, 'id' | 'delivery_id'> {
  const id = hashOf('quorate/delivery/1', webhook, event, new Uint8Array([attempt]))
  return { id, delivery_id: nameOf('webhookEvent', id) }
}

/**
 * The wallet, or else the key or approval, that an event is about: those of one are told of in the
 * order in which they came about. Anybody's contract may say that thousands of its tokens came to a
 * wallet: what nobody vouches for is in a line of its own, and the wallet's others do not wait for it.
 */
export function subjectOf(data: Json): string | undefined {
  if (!isObject(data)) return undefined
  const { wallet, ...others } = data
  const thing = [wallet, ...Object.values(others)].find(isObject)
  if (thing === undefined) return undefined
  const { walletId, keyId, id } = thing
  const subject = [walletId, keyId, id].find((one) => typeof one === 'string')
  const contract = strangerIn(data)
  return subject === undefined || contract === undefined
    ? subject
    : subject + strangersMark + contract
}

/** The contract of a movement that the operator does not vouch for. */
function strangerIn({ blockchainEvent }: Readonly<Record<string, Json>>): string | undefined {
  if (blockchainEvent === undefined || !isObject(blockchainEvent)) return undefined
  const { contract, verified } = blockchainEvent
  return verified !== true && typeof contract === 'string' ? contract : undefined
}

async function settle(
  transaction: DatabaseTransaction,
  events: readonly EventRow[],
  due: readonly Delivery[],
  now: number,
): Promise<void> {
  const wanted = new Set(due.map(({ event }) => toHex(event)))
  const isHeard = ({ id }: EventRow) => wanted.has(toHex(id))
  for (const [first, ...others] of byOrganization(events).values()) {
    const { organization } = first
    const own = [first, ...others]
    const heard = own.filter(isHeard).map(({ id }) => id)
    const unheard = own.filter((event) => !isHeard(event)).map(({ id }) => id)
    if (heard.length > 0)
      await transaction
        .updateTable('outbox')
        .set({ dispatched_at: now })
        .where('organization', '=', organization)
        .where('id', 'in', heard)
        .execute()
    if (unheard.length > 0)
      await transaction
        .deleteFrom('outbox')
        .where('organization', '=', organization)
        .where('id', 'in', unheard)
        .execute()
  }
}
