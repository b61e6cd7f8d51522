import type { Census, Point } from './census.ts'
import { takeCensus } from './census.ts'
import { openSimulator, worldOf, worldSize } from './simulate.ts'
import { brokenOutcome, type Outcome, outcomeOf } from './tally.ts'
import type { PlayOptions } from './play.ts'

/** One of them computes while another waits for its database. */
const worldsAtOnce = 3
/** A run of so many transfers has a server die at each point there is; a smaller one is for a look. */
export const sweepMin = 2_000

export type Work = {
  /** The seed of the first world; the others follow. */
  readonly first: number
  readonly transfers: number
  /** Nothing but the death at this point, of those that a census counts. */
  readonly point?: number
  /** Which of how many processes this one is: each takes its part of the same work. */
  readonly worker: number
  readonly workers: number
  /** Worlds that have been played already, by what brings them about again. */
  readonly done: ReadonlySet<string>
}
export type News =
  | {
      readonly kind: 'census'
      readonly points: readonly Point[]
      readonly unreached: readonly string[]
    }
  | { readonly kind: 'world'; readonly outcome: Outcome }

/** Each process plays it, and one of them tells of it. */
const againOfCensus = '--transfers 1'

type Job = { readonly again: string; readonly world: Omit<PlayOptions, 'connections'> }

/** What is under way when it is to stop comes to its end. */
export async function runWorlds(
  work: Work,
  stopSignal: AbortSignal,
  tell: (news: News) => void,
): Promise<void> {
  const simulator = await openSimulator(worldsAtOnce)
  try {
    const census = await takeCensus(simulator)
    const { points, unreached } = census
    tell({ kind: 'census', points, unreached })
    const known = new Set(points.map(({ place }) => place))
    const hear = (again: string, played: Parameters<typeof outcomeOf>[1]) =>
      tell({ kind: 'world', outcome: outcomeOf(again, played, known) })
    if (work.worker === 0 && !work.done.has(againOfCensus))
      for (const { played } of census.played) hear(againOfCensus, played)
    const play = async ({ again, world }: Job) => {
      try {
        hear(again, await simulator.play(world))
      } catch (error) {
        tell({ kind: 'world', outcome: brokenOutcome(again, error) })
      }
    }
    await runJobs({ jobs: jobsOf(work, census), done: work.done, stopSignal, play })
  } finally {
    await simulator.close()
  }
}

async function runJobs({
  jobs,
  done,
  stopSignal,
  play,
}: {
  readonly jobs: Iterator<Job>
  readonly done: Work['done']
  readonly stopSignal: AbortSignal
  readonly play: (job: Job) => Promise<void>
}): Promise<void> {
  const one = async (): Promise<void> => {
    for (let next = jobs.next(); next.done !== true && !stopSignal.aborted; next = jobs.next())
      if (!done.has(next.value.again)) await play(next.value)
  }
  await Promise.all(Array.from({ length: worldsAtOnce }, one))
}

function* jobsOf(work: Work, { points }: Census): Generator<Job> {
  const { first, transfers, point, worker, workers } = work
  const isSwept = point !== undefined || transfers >= sweepMin
  const swept = isSwept ? points.reduce((sum, { drill }) => sum + drill.transfers, 0) : 0
  if (isSwept)
    for (const [i, { drill, ...target }] of points.entries())
      if (point === undefined ? i % workers === worker : i === point)
        yield { again: `--point ${i}`, world: { ...drill, targets: [target] } }
  if (point !== undefined) return
  const count = Math.max(Math.ceil((transfers - swept) / worldSize), 0)
  for (let seed = first; seed < first + count; seed++)
    if ((seed - first) % workers === worker)
      yield { again: `--seed ${seed} --transfers ${worldSize}`, world: worldOf(seed, points) }
}
