import { toHex } from '@quorate/core/bytes'
import { startLoop } from '../work/loop.ts'
import { deliver, type DeliverDeps } from './deliver.ts'
import { dispatchEvents, eventsAtOnce } from './dispatch.ts'
import { forgetDeliveries } from './forget.ts'
import { leaseDeliveries } from './lease.ts'
import type { Delivery } from './tables.ts'

export type WorkerDeps = DeliverDeps & {
  readonly log: { error(context: object, message: string): void }
}

export type WebhookWorker = {
  /** Takes nothing new, and waits for the answers that are still to come. */
  stop(): Promise<void>
}

/** Each waits for a receiver and holds a socket, and next to nothing else. */
const attemptsMax = 128
/**
 * Taken at once. An organization that has as many under way waits: so its slow receivers hold less
 * than twice as many of the places, and the rest is for others.
 */
const rowsAtOnce = 8
const pollMs = 200
/** The database is gone, or so it seems. */
const troubledMs = 2_000
const forgetMs = 60 * 60_000

/** Tells receivers what there is to tell, together with the workers of all other servers. */
export function startWebhookWorker(deps: WorkerDeps): WebhookWorker {
  const { database, now, log } = deps
  const running = new Map<Promise<void>, Delivery>()
  let forgottenAt = 0

  function begin(row: Delivery): void {
    const one = deliver(deps, row)
      .catch((error: unknown) =>
        log.error({ err: error, id: row.delivery_id }, 'an event was left for another attempt'),
      )
      .finally(() => {
        running.delete(one)
        loop.wake()
      })
    running.set(one, row)
  }

  /** @returns after how long to look again */
  async function take(): Promise<number> {
    const dispatched = await dispatchEvents(database, now())
    const count = Math.min(rowsAtOnce, attemptsMax - running.size)
    const taken =
      count === 0 ? [] : await leaseDeliveries(database, { ...busy(), count, now: now() })
    for (const row of taken) begin(row)
    if (now() - forgottenAt >= forgetMs) {
      await forgetDeliveries(database, now())
      forgottenAt = now()
    }
    const isMore = dispatched === eventsAtOnce || taken.length === rowsAtOnce
    return isMore ? 0 : pollMs
  }

  function busy(): { readonly busy: readonly Uint8Array[] } {
    const groups = Map.groupBy(running.values(), ({ organization }) => toHex(organization))
    const full = [...groups.values()].filter((rows) => rows.length >= rowsAtOnce)
    return { busy: full.flatMap(([row]) => row?.organization ?? []) }
  }

  const loop = startLoop({
    turn: take,
    onError: (err) => log.error({ err }, 'no event could be taken'),
    troubledMs,
  })
  return {
    stop: async () => {
      await loop.stop()
      await Promise.all(running.keys())
    },
  }
}
