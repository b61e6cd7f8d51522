import { startLoop, type Loop } from '../work/loop.ts'
import { leaseApprovals } from './lease.ts'
import { work, type WorkDeps } from './work.ts'

/** Each asks signers for one step at most; people decide seldom. */
const rowsAtOnce = 4
const pollMs = 500
/** The database is gone, or so it seems; or the clock here is off. */
const troubledMs = 2_000

/** Brings approvals on, together with the workers of all other servers. */
export function startApprovalWorker(deps: WorkDeps): Loop {
  return startLoop({
    turn: async () => {
      // What it would put off would wait for as long as the clock is ahead.
      const clock = await deps.log.clock()
      if (clock === 'ahead' || clock === 'behind') return troubledMs
      const rows = await leaseApprovals(deps.database, rowsAtOnce, deps.now())
      await Promise.all(rows.map((row) => work(deps, row)))
      return rows.length < rowsAtOnce ? pollMs : 0
    },
    onError: (err) => deps.report.error({ err }, 'no approval could be worked on'),
    troubledMs,
  })
}
