import { sql } from 'kysely'
import { Failure } from '@quorate/core/failure'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import { newestFirst, newestThatFit, type Paging } from '../page.ts'
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
  paging: Paging,
): Promise<WebhookRow[]> {
  return database
    .selectFrom('webhooks')
    .selectAll()
    .where('organization', '=', organization)
    .$call(newestFirst(paging))
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
): Promise<{ found: SentRow[]; limit: number }> {
  const rows = sent(database, organization)
    .where('deliveries.webhook', '=', webhook)
    .where((eb) => (kind === undefined ? eb.lit(true) : eb('deliveries.kind', '=', kind)))
    .where((eb) => {
      if (deliveryFailed === undefined) return eb.lit(true)
      // Literal, as in the index of failures.
      return deliveryFailed === 'true' ? sql<boolean>`status <> '200'` : eb('status', '=', '200')
    })
  return newestThatFit(
    rows,
    { limit, paginationToken },
    { weighed: ['outbox.data'], columns: ['sent_at', 'deliveries.id'] },
  )
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
