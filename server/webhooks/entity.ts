import type { Webhook, WebhookEvent } from '@quorate/api/webhooks'
import { received } from './send.ts'
import type { Delivery, WebhookRow } from './tables.ts'

export function webhookOf(row: WebhookRow): Webhook {
  return {
    ...{ id: row.webhook_id, url: row.url, events: JSON.parse(row.events), status: row.status },
    ...(row.description === null ? {} : { description: row.description }),
    dateCreated: new Date(row.created_at).toISOString(),
    dateUpdated: new Date(row.updated_at).toISOString(),
  }
}

export type SentRow = Delivery & { readonly sent_at: number; readonly data: string }

export function webhookEventOf(row: SentRow): WebhookEvent {
  const { error, first, next_attempt_at: next } = row
  return {
    id: row.delivery_id,
    kind: row.kind,
    date: new Date(row.raised_at).toISOString(),
    data: JSON.parse(row.data),
    status: row.status ?? '',
    ...(error === null ? {} : { error }),
    timestampSent: Math.floor(row.sent_at / 1000),
    deliveryAttempt: row.attempt,
    deliveryFailed: row.status !== received,
    ...(next === null ? {} : { nextAttemptDate: new Date(next).toISOString() }),
    ...(first === null ? {} : { retryOf: first }),
  }
}
