import { sql } from 'kysely'
import { Failure } from '@quorate/core/failure'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import { readPosition } from '../page.ts'
import type { SentRow } from './entity.ts'
import type { WebhookRow } from './tables.ts'

/** @throws Failure `webhook.not_found` */
export async function findWebhook(
  database: Database | DatabaseTransaction,
  organization: Uint8Array,
  webhookId: string,
): Promise<WebhookRow> {
  const row = await database
    .selectFrom('webhooks')
    .selectAll()
    .where('organization', '=', organization)
    .where('webhook_id', '=', webhookId)
    .executeTakeFirst()
  if (row === undefined) throw new Failure('webhook.not_found', { webhookId })
  return row
}

export function listWebhooks(
  database: Database,
  organization: Uint8Array,
  { limit, paginationToken }: { limit: number; paginationToken?: string | undefined },
): Promise<WebhookRow[]> {
  const after = readPosition(paginationToken)
  return database
    .selectFrom('webhooks')
    .selectAll()
    .where('organization', '=', organization)
    .where((eb) =>
      after === undefined
        ? eb.lit(true)
        : eb(eb.refTuple('created_at', 'id'), '<', eb.tuple(after.at, after.id)),
    )
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
}

export type EventQuery = {
  readonly limit: number
  readonly paginationToken?: string | undefined
  readonly kind?: string | undefined
  readonly deliveryFailed?: 'true' | 'false' | undefined
}

/** What was sent; what is due is nobody's to see yet. */
export function listSent(
  database: Database,
  { organization, id: webhook }: WebhookRow,
  { limit, paginationToken, kind, deliveryFailed }: EventQuery,
): Promise<SentRow[]> {
  const after = readPosition(paginationToken)
  return sent(database, organization)
    .where('deliveries.webhook', '=', webhook)
    .where((eb) => (kind === undefined ? eb.lit(true) : eb('deliveries.kind', '=', kind)))
    .where((eb) => {
      if (deliveryFailed === undefined) return eb.lit(true)
      // Literal, as in the index of failures.
      return deliveryFailed === 'true' ? sql<boolean>`status <> '200'` : eb('status', '=', '200')
    })
    .where((eb) =>
      after === undefined
        ? eb.lit(true)
        : eb(eb.refTuple('sent_at', 'deliveries.id'), '<', eb.tuple(after.at, after.id)),
    )
    .orderBy('sent_at', 'desc')
    .orderBy('deliveries.id', 'desc')
    .limit(limit + 1)
    .execute()
}

/** @throws Failure `webhook_event.not_found` */
export async function findSent(
  database: Database,
  { organization, id: webhook }: WebhookRow,
  webhookEventId: string,
): Promise<SentRow> {
  const row = await sent(database, organization)
    .where('deliveries.webhook', '=', webhook)
    .where('delivery_id', '=', webhookEventId)
    .executeTakeFirst()
  if (row === undefined) throw new Failure('webhook_event.not_found', { webhookEventId })
  return row
}

function sent(database: Database, organization: Uint8Array) {
  return database
    .selectFrom('deliveries')
    .innerJoin('outbox', (join) =>
      join
        .onRef('outbox.organization', '=', 'deliveries.organization')
        .onRef('outbox.id', '=', 'deliveries.event'),
    )
    .selectAll('deliveries')
    .select('outbox.data')
    .where('deliveries.organization', '=', organization)
    .where('sent_at', 'is not', null)
    .$narrowType<{ sent_at: number }>()
}
