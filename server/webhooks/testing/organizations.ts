import { randomBytes } from 'node:crypto'
import { inTransaction, type Database } from '../../database/database.ts'
import { recordEvent } from '../../outbox.ts'
import { openReceivers } from '../receivers.ts'
import { makeSecret, sealSecret } from '../secret.ts'
import type { DeliverDeps } from '../deliver.ts'

const key = new Uint8Array(randomBytes(32))
const tokens = { keyFor: () => key }

/** What a worker needs, without the rest of a server. */
export function tellersOf(database: Database): DeliverDeps {
  const receivers = openReceivers({ networks: ['127.0.0.0/8'] })
  return { database, tokens, receivers, now: () => Date.now() }
}

export function newId(): Uint8Array {
  return new Uint8Array(randomBytes(32))
}

/** One that wants to hear of everything. */
export async function addWebhook(
  database: Database,
  organization: Uint8Array,
  url: string,
): Promise<Uint8Array> {
  const id = newId()
  const at = Date.now()
  const secret = sealSecret(tokens, { organization, id }, makeSecret())
  await database
    .insertInto('webhooks')
    .values({
      ...{ organization, id, webhook_id: `wh-${Buffer.from(id).toString('hex')}`, url, secret },
      ...{ description: null, events: '["*"]', status: 'Enabled', created_at: at, updated_at: at },
      failing_since: null,
    })
    .execute()
  return id
}

/** As many things happen, each to the wallet that comes next. */
export function happens(
  database: Database,
  organization: Uint8Array,
  { count, wallets }: { readonly count: number; readonly wallets: number },
): Promise<void> {
  return inTransaction(database, async (transaction) => {
    for (let i = 0; i < count; i++)
      await recordEvent(transaction, {
        ...{ organization, kind: 'wallet.created', at: Date.now() },
        data: { wallet: { id: `wa-${i % wallets}`, name: String(i) } },
      })
  })
}
