import { setTimeout as sleep } from 'node:timers/promises'
import { leaseApprovals } from './lease.ts'
import { work, type WorkDeps } from './work.ts'

export type ApprovalWorker = {
  /** Somebody has decided. Only a hint: without it, that is found a little later. */
  wake(): void
  /** Takes nothing new, and ends what is begun. */
  stop(): Promise<void>
}

/** Each asks signers for one step at most; people decide seldom. */
const rowsAtOnce = 4
const pollMs = 500
/** The database is gone, or so it seems. */
const troubledMs = 2_000

/** Brings approvals on, together with the workers of all other servers. */
export function startApprovalWorker(deps: WorkDeps): ApprovalWorker {
  const stopping = new AbortController()
  let woken = Promise.withResolvers<void>()

  /** @returns after how long to look again */
  async function take(): Promise<number> {
    try {
      const rows = await leaseApprovals(deps.database, rowsAtOnce, deps.now())
      await Promise.all(rows.map((row) => work(deps, row)))
      return rows.length < rowsAtOnce ? pollMs : 0
    } catch (error) {
      deps.report.error({ err: error }, 'no approval could be worked on')
      return troubledMs
    }
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      woken = Promise.withResolvers<void>()
      const delay = await take()
      await Promise.race([pause(delay, stopping.signal), woken.promise])
    }
  }

  const ended = loop()
  return {
    wake: () => woken.resolve(),
    stop: async () => {
      stopping.abort()
      await ended
    },
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
