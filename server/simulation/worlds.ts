import type { Target } from './faults.ts'
import { openSimulator } from './simulate.ts'
import { type Outcome, outcomeOf } from './tally.ts'

/** One of them computes while another waits for its database. */
const worldsAtOnce = 3

/** Seeds in a row, each of which is a world. */
export type Work = { readonly first: number; readonly count: number }
export type News =
  | { readonly kind: 'points'; readonly points: readonly Target[] }
  | { readonly kind: 'world'; readonly outcome: Outcome }

/** What is under way when it is to stop comes to its end. */
export async function runWorlds(
  { first, count }: Work,
  stopSignal: AbortSignal,
  tell: (news: News) => void,
): Promise<void> {
  const simulator = await openSimulator(Math.min(worldsAtOnce, count))
  try {
    tell({ kind: 'points', points: simulator.points })
    let seed = first
    const one = async (): Promise<void> => {
      while (seed < first + count && !stopSignal.aborted) {
        const mine = seed++
        tell({ kind: 'world', outcome: outcomeOf(mine, await simulator.world(mine)) })
      }
    }
    await Promise.all(Array.from({ length: worldsAtOnce }, one))
  } finally {
    await simulator.close()
  }
}
