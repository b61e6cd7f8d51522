import { startLoop, type Loop } from '../work/loop.ts'
import { keepingLease, type Keeping } from './keep-lease.ts'
import { leaseRows, recallRows } from './lease.ts'
import type { Outgoing } from './tables.ts'
import { work, type WorkDeps } from './work.ts'

/** Mostly they wait for signers and nodes. */
const rowsAtOnce = 32
/** Of one network. */
const networkMax = 8
const pollMs = 200
const recallEveryMs = 60_000
/** Signers have perhaps not said yet what time it is. */
const recallAgainMs = 2_000
/** The database is gone, or so it seems. */
const troubledMs = 2_000

/** Brings outgoing rows on, together with the workers of all other servers. */
export function startWorker(deps: WorkDeps, keeping: Keeping = {}): Loop {
  const running = new Map<Promise<void>, Outgoing>()
  let recall = { at: 0, done: Promise.resolve() }
  const wake = () => loop.wake()

  function begin(row: Outgoing): void {
    const one = keepingLease(deps, row, (isHeld) => work({ ...deps, isHeld }, row, wake), keeping)
      .catch((error: unknown) => deps.log.error({ err: error, id: row.name }, 'a row was left'))
      .finally(() => {
        running.delete(one)
        wake()
      })
    running.set(one, row)
  }

  /** Nodes that hang keep their rows here: however many do, some places are left for the next network. */
  async function take(): Promise<readonly Outgoing[]> {
    const half = Math.ceil((rowsAtOnce - running.size) / 2)
    if (half === 0) return []
    const atHand = [...running.values()]
    const share = { atHand, networkMax: Math.min(networkMax, half) }
    return leaseRows(deps.database, half, deps.now(), { ...keeping, ...share })
  }

  /** Nobody waits for it: it is for the day after this or another server's clock was ahead. */
  async function recallNow(): Promise<void> {
    const { coordinator, database, now } = deps
    const isRight = (await coordinator.clock()) === 'right'
    if (isRight) await recallRows(database, now())
    recall.at = performance.now() + (isRight ? recallEveryMs : recallAgainMs)
  }

  function tendRecall(): void {
    if (performance.now() < recall.at) return
    const done = recallNow().catch((err: unknown) => {
      recall.at = performance.now() + recallAgainMs
      deps.log.error({ err }, 'no rows could be recalled')
    })
    recall = { at: Infinity, done }
  }

  const loop = startLoop({
    turn: async () => {
      tendRecall()
      for (const row of await take()) begin(row)
      return pollMs
    },
    onError: (err) => deps.log.error({ err }, 'no work could be taken'),
    troubledMs,
  })
  return {
    wake,
    stop: async () => {
      await loop.stop()
      await Promise.all([...running.keys(), recall.done])
    },
  }
}
