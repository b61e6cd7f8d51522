import { setTimeout as sleep } from 'node:timers/promises'
import { randomUUID } from 'node:crypto'
import { encode } from '@quorate/core/codec'
import { toHex } from '@quorate/core/bytes'
import type { Subject } from '@quorate/authority/agreement/messages'
import { streamCodec } from '@quorate/authority/stream'
import type { Database } from '../database/database.ts'

/** Long enough for a step with a change of ballot, short enough to outwait a dead replica. */
const leaseMs = 2_000
/** Kept without asking as long as a step surely ends within it. */
const renewBelowMs = 500
const pollMs = 15

/**
 * Turns among replicas, one stream each. They save doubled work and nothing else: two that propose
 * at once are told apart by the unique row, so whoever has waited long enough goes ahead.
 */
export function openLeases(database: Database) {
  const holder = randomUUID()
  const held = new Map<string, number>()

  async function acquire(place: Subject): Promise<void> {
    const name = nameOf(place)
    if ((held.get(name) ?? 0) - Date.now() > renewBelowMs) return
    const patience = Date.now() + leaseMs
    while (Date.now() < patience && !(await take(place))) await sleep(pollMs * (1 + Math.random()))
  }

  async function take({ organization, stream }: Subject): Promise<boolean> {
    const now = Date.now()
    const until = now + leaseMs
    const row = { organization, stream: encode(streamCodec, stream), holder, until }
    const taken = await database
      .insertInto('stream_leases')
      .values(row)
      .onConflict((conflict) =>
        conflict
          .columns(['organization', 'stream'])
          .doUpdateSet({ holder, until })
          .where((eb) =>
            eb.or([eb('stream_leases.holder', '=', holder), eb('stream_leases.until', '<', now)]),
          ),
      )
      .executeTakeFirst()
    if (taken.numInsertedOrUpdatedRows !== 1n) return false
    held.set(nameOf({ organization, stream }), until)
    return true
  }

  async function release(place: Subject): Promise<void> {
    if (!held.delete(nameOf(place))) return
    await database
      .deleteFrom('stream_leases')
      .where('organization', '=', place.organization)
      .where('stream', '=', encode(streamCodec, place.stream))
      .where('holder', '=', holder)
      .execute()
  }

  return { acquire, release }
}
export type Leases = ReturnType<typeof openLeases>

function nameOf({ organization, stream }: Subject): string {
  return `${toHex(organization)}${toHex(encode(streamCodec, stream))}`
}
