import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { knownKinds } from './event-kinds.ts'
import { pageOf, shortPageQuery } from './page.ts'
import { nothing } from './paths.ts'
import { date, id } from './words.ts'

/** What common servers take; longer ones are not addresses but attempts. */
const urlLengthMax = 2_048
const descriptionLengthMax = 256

const webhookId = z.strictObject({ webhookId: id })
const status = z.enum(['Enabled', 'Disabled'])
const kind = z.enum(knownKinds)
const subscription = z.enum([...knownKinds, '*'])

const body = {
  url: z.string().min(1).max(urlLengthMax),
  /** Each once is enough: a longer list repeats itself. */
  events: z.array(subscription).min(1).max(subscription.options.length),
  status: status.optional(),
  description: z.string().max(descriptionLengthMax).optional(),
}

const webhook = z.object({
  id: z.string(),
  url: z.string(),
  events: z.array(z.string()),
  status,
  description: z.string().optional(),
  dateCreated: date,
  dateUpdated: date,
})
export type Webhook = z.output<typeof webhook>

/** One attempt to tell a receiver of something: an attempt that follows is another event. */
const event = z.object({
  id: z.string(),
  kind: z.string(),
  date,
  data: z.record(z.string(), z.unknown()),
  /** The receiver's HTTP status, or in a word why there was none. */
  status: z.string(),
  error: z.string().optional(),
  /** Unix seconds. */
  timestampSent: z.int(),
  deliveryAttempt: z.int(),
  deliveryFailed: z.boolean(),
  /** There is none after the last attempt. */
  nextAttemptDate: date.optional(),
  /** The first attempt. */
  retryOf: z.string().optional(),
})
export type WebhookEvent = z.output<typeof event>

export const createWebhook = endpoint('webhooks.createWebhook', {
  summary: 'Be told of events at a URL. The secret that they are signed with is shown here alone.',
  body: z.strictObject(body),
  returns: webhook.extend({ secret: z.string() }),
})

export const listWebhooks = endpoint('webhooks.listWebhooks', {
  summary: 'Webhooks, page by page.',
  query: z.object(shortPageQuery),
  returns: pageOf(webhook),
})

export const getWebhook = endpoint('webhooks.getWebhook', {
  summary: 'One webhook.',
  params: webhookId,
  returns: webhook,
})

export const updateWebhook = endpoint('webhooks.updateWebhook', {
  summary: 'Change a webhook; what the body leaves out stays.',
  params: webhookId,
  body: z.strictObject({ ...body, url: body.url.optional(), events: body.events.optional() }),
  returns: webhook,
})

export const deleteWebhook = endpoint('webhooks.deleteWebhook', {
  summary: 'Delete a webhook. What it has not been told of yet it never will be.',
  params: webhookId,
  body: nothing,
  returns: z.object({ deleted: z.literal(true) }),
})

export const pingWebhook = endpoint('webhooks.pingWebhook', {
  summary: 'Send an event that tells of nothing, and say how it was received.',
  params: webhookId,
  body: nothing,
  returns: z.object({ status: z.string(), error: z.string().optional() }),
})

export const listWebhookEvents = endpoint('webhooks.listWebhookEvents', {
  summary: 'What was sent to a webhook in the last 31 days, the newest first.',
  params: webhookId,
  query: z.object({
    ...shortPageQuery,
    kind: kind.optional(),
    deliveryFailed: z.enum(['true', 'false']).optional(),
  }),
  returns: pageOf(event),
})

export const getWebhookEvent = endpoint('webhooks.getWebhookEvent', {
  summary: 'One attempt to tell a webhook of something.',
  params: z.strictObject({ webhookId: id, webhookEventId: id }),
  returns: event,
})
