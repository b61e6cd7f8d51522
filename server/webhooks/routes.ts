import * as api from '@quorate/api/webhooks'
import { hashOf } from '@quorate/core/hash'
import { nameOf } from '@quorate/core/id'
import type { Caller } from '../auth/caller.ts'
import { useAction } from '../auth/use-action.ts'
import { routing, type Route } from '../http/route.ts'
import { pageOf } from '../page.ts'
import {
  createWebhook,
  deleteWebhook,
  updateWebhook,
  type ChangeDeps,
  type Signed,
} from './change.ts'
import { webhookEventOf, webhookOf } from './entity.ts'
import { findSent, findWebhook, listSent, listWebhooks } from './find.ts'
import { sendTo } from './send.ts'

const { route } = routing<Caller>()

export function webhookRoutes(deps: ChangeDeps): readonly Route<Caller>[] {
  const { database } = deps
  return [
    route(api.createWebhook, async ({ caller, raw }) => {
      const { row, secret } = await createWebhook(deps, { caller, raw })
      return { ...webhookOf(row), secret }
    }),
    route(api.listWebhooks, async ({ caller: { organization }, query }) =>
      pageOf(await listWebhooks(database, organization, query), query.limit, {
        positionAt: (row) => ({ at: row.created_at, id: row.id }),
        itemOf: webhookOf,
      }),
    ),
    route(api.getWebhook, async ({ caller: { organization }, params: { webhookId } }) =>
      webhookOf(await findWebhook(database, organization, webhookId)),
    ),
    route(api.updateWebhook, async ({ caller, raw, params: { webhookId } }) =>
      webhookOf(await updateWebhook(deps, { caller, raw }, webhookId)),
    ),
    route(api.deleteWebhook, async ({ caller, raw, params: { webhookId } }) => {
      await deleteWebhook(deps, { caller, raw }, webhookId)
      return { deleted: true } as const
    }),
    route(api.pingWebhook, async ({ caller, raw, params: { webhookId } }) =>
      ping(deps, { caller, raw }, webhookId),
    ),
    route(api.listWebhookEvents, async ({ caller: { organization }, query, params }) => {
      const webhook = await findWebhook(database, organization, params.webhookId)
      const { found, limit } = await listSent(database, webhook, query)
      return pageOf(found, limit, {
        positionAt: (row) => ({ at: row.sent_at, id: row.id }),
        itemOf: webhookEventOf,
      })
    }),
    route(api.getWebhookEvent, async ({ caller: { organization }, params }) => {
      const webhook = await findWebhook(database, organization, params.webhookId)
      return webhookEventOf(await findSent(database, webhook, params.webhookEventId))
    }),
  ]
}

/** An event of no thing and of a kind of its own, which is in no list afterwards. */
async function ping(deps: ChangeDeps, { caller, raw }: Signed, webhookId: string) {
  const { database, now } = deps
  const { organization } = caller
  const webhook = await findWebhook(database, organization, webhookId)
  const { request } = await useAction(database, caller, raw, now())
  const at = now()
  const told = {
    id: nameOf('webhookEvent', hashOf('quorate/ping/1', request)),
    ...{ kind: 'ping', date: new Date(at).toISOString(), data: {}, deliveryAttempt: 1 },
  }
  return sendTo(deps, webhook, told, at)
}
