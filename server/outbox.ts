import { randomBytes } from 'node:crypto'
import { bigToBytes, concat } from '@quorate/core/bytes'
import type { IdentityTables } from './auth/tables.ts'
import type { DatabaseTransaction } from './database/database.ts'

export type EventKind =
  | `key.${'created' | 'deleted' | 'delegated'}`
  | `wallet.${'created' | 'delegated' | 'tags.modified'}`
  | 'wallet.blockchainevent.detected'
  | `wallet.signature.${'requested' | 'signed' | 'failed' | 'rejected'}`
  | `wallet.${'transfer' | 'transaction'}.${'requested' | 'broadcasted' | 'confirmed' | 'failed' | 'rejected'}`

/** `data` is what webhooks will carry: entities as the API gives them. */
type Event = {
  readonly organization: Uint8Array
  readonly kind: EventKind
  readonly data: object
  readonly at: number
}

/** Says that something has happened, in the transaction in which it did. */
export async function recordEvent(transaction: DatabaseTransaction, event: Event): Promise<void> {
  await transaction.insertInto('outbox').values(eventRow(event)).execute()
}

/** The same for a statement that writes the change as well. */
export function eventRow({ organization, kind, data, at }: Event): IdentityTables['outbox'] {
  return { organization, id: eventId(at), kind, data: JSON.stringify(data), created_at: at }
}

/** Time first, so that the newest rows lie together; the rest is chance. */
function eventId(at: number): Uint8Array {
  return concat(bigToBytes(BigInt(at), 6), new Uint8Array(randomBytes(10)))
}
