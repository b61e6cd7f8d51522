import { randomInt } from 'node:crypto'
import { startLoop } from '../work/loop.ts'
import { deliver, type DeliverDeps } from './deliver.ts'
import { dispatchEvents, eventsAtOnce } from './dispatch.ts'
import { forgetDeliveries } from './forget.ts'
import {
  findWaiting,
  leaseDeliveries,
  wakeDeliveries,
  webhooksAtOnce,
  wokenAtOnce,
} from './lease.ts'
import { attemptsMax, isSilent, shareOut, webhookOf, type Taken } from './places.ts'
import { openReport, type ReportDeps, type Write } from './report.ts'
import type { Delivery } from './tables.ts'

export type WorkerDeps = DeliverDeps & {
  readonly log: ReportDeps['log'] & { readonly error: Write }
}

export type WebhookWorker = {
  /** Takes nothing new, and waits for the answers that are still to come. */
  stop(): Promise<void>
}

const pollMs = 200
/** The database is gone, or so it seems. */
const troubledMs = 2_000
const forgetMs = 60 * 60_000

/** Tells receivers what there is to tell, together with the workers of all other servers. */
export function startWebhookWorker(deps: WorkerDeps): WebhookWorker {
  const { database, now, log } = deps
  const report = openReport(deps)
  const running = new Map<Promise<void>, Taken>()
  let past: Uint8Array | undefined
  let forgottenAt = 0

  function begin(row: Delivery, isSilent: boolean): void {
    const one = deliver(deps, row)
      .then((attempted) => report.note(row, attempted))
      .catch((error: unknown) =>
        log.error({ err: error, id: row.delivery_id }, 'an event was left for another attempt'),
      )
      .finally(() => {
        running.delete(one)
        loop.wake()
      })
    running.set(one, { organization: row.organization, webhook: row.webhook, isSilent })
  }

  /** @returns after how long to look again */
  async function take(): Promise<number> {
    const dispatched = await dispatchEvents(database, now())
    const woken = await wakeDeliveries(database, now())
    const begun = running.size < attemptsMax ? await takeReady() : 0
    if (now() - forgottenAt >= forgetMs && (await forgetDeliveries(database, now())) === 'all')
      forgottenAt = now()
    await report.turn()
    return dispatched === eventsAtOnce || woken === wokenAtOnce || begun > 0 ? 0 : pollMs
  }

  async function takeReady(): Promise<number> {
    const waiting = await findWaiting(database, past)
    past = waiting.length === webhooksAtOnce ? waiting.at(-1)?.webhook : undefined
    const wants = shareOut(waiting, [...running.values()], (below) => randomInt(below))
    if (wants.length === 0) return 0
    const silent = new Set(waiting.filter(isSilent).map(webhookOf))
    const rows = await leaseDeliveries(database, wants, now())
    for (const row of rows) begin(row, silent.has(webhookOf(row)))
    return rows.length
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
      report.end()
    },
  }
}
