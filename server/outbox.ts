import { randomBytes } from 'node:crypto'
import type { EventKind } from '@quorate/api/event-kinds'
import { bigToBytes, concat } from '@quorate/core/bytes'
import type { IdentityTables } from './auth/tables.ts'
import type { DatabaseTransaction } from './database/database.ts'

/** `data` is what webhooks will carry: entities as the API gives them. */
export type Event = {
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
  return {
    organization,
    id: eventId(at),
    kind,
    data: JSON.stringify(data),
    created_at: at,
    dispatched_at: null,
  }
}

/**
 * Time first, so that the newest rows lie together, and after whatever this process has told of
 * before; the rest is chance. Events of two servers are in the order of their clocks, and no better.
 */
function eventId(at: number): Uint8Array {
  const time = BigInt(at) << 16n
  latest = time > latest ? time : latest + 1n
  return concat(bigToBytes(latest, 8), new Uint8Array(randomBytes(8)))
}
let latest = 0n
