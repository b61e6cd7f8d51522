import { startLoop, type Loop } from '../work/loop.ts'
import { leaseRows } from './lease.ts'
import type { Outgoing } from './tables.ts'
import { work, type WorkDeps } from './work.ts'

/** Mostly they wait for signers and nodes. */
const rowsAtOnce = 8
const pollMs = 200
/** The database is gone, or so it seems. */
const troubledMs = 2_000

/** Brings outgoing rows on, together with the workers of all other servers. */
export function startWorker(deps: WorkDeps): Loop {
  const running = new Set<Promise<void>>()
  const wake = () => loop.wake()

  function begin(row: Outgoing): void {
    const one = work(deps, row, wake)
      .catch((error: unknown) => deps.log.error({ err: error, id: row.name }, 'a row was left'))
      .finally(() => {
        running.delete(one)
        wake()
      })
    running.add(one)
  }

  const loop = startLoop({
    turn: async () => {
      const free = rowsAtOnce - running.size
      for (const row of free > 0 ? await leaseRows(deps.database, free, deps.now()) : []) begin(row)
      return pollMs
    },
    onError: (err) => deps.log.error({ err }, 'no work could be taken'),
    troubledMs,
  })
  return {
    wake,
    stop: async () => {
      await loop.stop()
      await Promise.all(running)
    },
  }
}
