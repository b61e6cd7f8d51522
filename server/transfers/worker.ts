import { setTimeout as sleep } from 'node:timers/promises'
import { leaseRows } from './lease.ts'
import { work, type WorkDeps } from './work.ts'

export type Worker = {
  /** Something is due. Only a hint: without it, it is found a little later. */
  wake(): void
  /** Takes nothing new, and ends what is begun. */
  stop(): Promise<void>
}

/** Mostly they wait for signers and nodes. */
const rowsAtOnce = 8
const pollMs = 200
/** The database is gone, or so it seems. */
const troubledMs = 2_000

/** Brings outgoing rows on, together with the workers of all other servers. */
export function startWorker(deps: WorkDeps): Worker {
  const running = new Set<Promise<void>>()
  const stopping = new AbortController()
  let woken = Promise.withResolvers<void>()
  const wake = () => woken.resolve()

  async function take(): Promise<void> {
    const rows = await leaseRows(deps.database, rowsAtOnce - running.size, deps.now())
    for (const row of rows) {
      const one = work(deps, row, wake)
        .catch((error: unknown) => deps.log.error({ err: error, id: row.name }, 'a row was left'))
        .finally(() => {
          running.delete(one)
          wake()
        })
      running.add(one)
    }
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      woken = Promise.withResolvers<void>()
      const delay = await (running.size < rowsAtOnce ? take() : Promise.resolve()).then(
        () => pollMs,
        (error: unknown) => {
          deps.log.error({ err: error }, 'no work could be taken')
          return troubledMs
        },
      )
      await Promise.race([pause(delay, stopping.signal), woken.promise])
    }
    await Promise.all(running)
  }

  const ended = loop()
  return {
    wake,
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
