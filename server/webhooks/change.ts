import * as api from '@quorate/api/webhooks'
import { parse } from '@quorate/api/parse'
import { encodeEvidence } from '@quorate/authority/step'
import { Failure } from '@quorate/core/failure'
import { idOf, nameOf } from '@quorate/core/id'
import { parseJson } from '@quorate/core/json'
import type { Caller } from '../auth/caller.ts'
import type { Tokens } from '../auth/tokens.ts'
import { useAction, type SignedAction } from '../auth/use-action.ts'
import { inTransaction, type Database, type DatabaseTransaction } from '../database/database.ts'
import type { RawRequest } from '../http/route.ts'
import { findWebhook } from './find.ts'
import { noAnswerWords, type Receivers } from './receivers.ts'
import { makeSecret, sealSecret } from './secret.ts'
import type { WebhookRow } from './tables.ts'

export type ChangeDeps = {
  readonly database: Database
  readonly tokens: Pick<Tokens, 'keyFor'>
  readonly receivers: Receivers
  readonly now: () => number
}
export type Signed = { readonly caller: Caller; readonly raw: RawRequest }

/** As documented: each is another copy of every event. */
export const webhooksMax = 5

/** The secret is in the answer, and afterwards nobody but its receiver can say it. */
export async function createWebhook(
  deps: ChangeDeps,
  signed: Signed,
): Promise<{ readonly row: WebhookRow; readonly secret: string }> {
  const { organization } = signed.caller
  const secret = makeSecret()
  const row = await changing(deps, signed, async (transaction, { request, payload }, now) => {
    const body = parse(api.createWebhook.body, parseJson(payload), 'payload')
    const id = idOf(request, 'webhook')
    const made: WebhookRow = {
      ...{ organization, id, webhook_id: nameOf('webhook', id) },
      url: checkedUrl(deps, body.url),
      description: body.description ?? null,
      events: JSON.stringify(body.events),
      status: body.status ?? 'Enabled',
      secret: sealSecret(deps.tokens, { organization, id }, secret),
      ...{ created_at: now, updated_at: now, failing_since: null },
    }
    await checkCount(transaction, organization)
    await transaction.insertInto('webhooks').values(made).execute()
    return made
  })
  return { row, secret }
}

export function updateWebhook(
  deps: ChangeDeps,
  signed: Signed,
  webhookId: string,
): Promise<WebhookRow> {
  return changing(deps, signed, async (transaction, { payload }, now) => {
    const body = parse(api.updateWebhook.body, parseJson(payload || '{}'), 'payload')
    const { url, description, events, status } = body
    const row = await findWebhook(transaction, signed.caller.organization, webhookId)
    return transaction
      .updateTable('webhooks')
      .set({
        ...(url === undefined ? {} : { url: checkedUrl(deps, url) }),
        ...(description === undefined ? {} : { description }),
        ...(events === undefined ? {} : { events: JSON.stringify(events) }),
        ...(status === undefined ? {} : { status }),
        // Another receiver, or one that was asked nothing meanwhile: it has not failed yet.
        ...(url === undefined && status === undefined ? {} : { failing_since: null }),
        updated_at: now,
      })
      .where('organization', '=', row.organization)
      .where('id', '=', row.id)
      .returningAll()
      .executeTakeFirstOrThrow(() => new Failure('webhook.not_found', { webhookId }))
  })
}

export async function deleteWebhook(
  deps: ChangeDeps,
  signed: Signed,
  webhookId: string,
): Promise<void> {
  await changing(deps, signed, async (transaction) => {
    const row = await findWebhook(transaction, signed.caller.organization, webhookId)
    // What it was sent stays until its time, and is nobody's to see: a list of it has no webhook.
    await transaction
      .deleteFrom('webhooks')
      .where('organization', '=', row.organization)
      .where('id', '=', row.id)
      .execute()
    return row
  })
}

/** Burns the signature, makes the change and keeps what was signed, or nothing of it. */
function changing(
  { database, now }: ChangeDeps,
  { caller, raw }: Signed,
  change: (
    transaction: DatabaseTransaction,
    action: SignedAction,
    now: number,
  ) => Promise<WebhookRow>,
): Promise<WebhookRow> {
  return inTransaction(database, async (transaction) => {
    const at = now()
    const action = await useAction(transaction, caller, raw, at)
    const row = await change(transaction, action, at)
    const evidence = encodeEvidence(action.evidence(new Uint8Array()))
    await transaction
      .insertInto('webhook_changes')
      .values({
        ...{ organization: caller.organization, webhook: row.id, request: action.request },
        ...{ evidence, changed_at: at },
      })
      .execute()
    return row
  })
}

/** @throws Failure `body.malformed` for an address that no event would ever be sent to */
function checkedUrl({ receivers }: ChangeDeps, url: string): string {
  const why = receivers.refusal(url)
  if (why === undefined) return url
  throw new Failure('body.malformed', {
    issues: [{ path: 'body.url', message: noAnswerWords[why] }],
  })
}

/** Two that come at once wait for each other at the organization's row. */
async function checkCount(
  transaction: DatabaseTransaction,
  organization: Uint8Array,
): Promise<void> {
  await transaction
    .selectFrom('organizations')
    .select('id')
    .where('id', '=', organization)
    .forUpdate()
    .executeTakeFirstOrThrow()
  const { count } = await transaction
    .selectFrom('webhooks')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('organization', '=', organization)
    .executeTakeFirstOrThrow()
  if (count >= webhooksMax) throw new Failure('webhooks.too_many', { max: webhooksMax })
}
