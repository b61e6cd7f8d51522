import { createTestDatabase } from '@quorate/scripts/test-database'
import { openDatabase } from '../database/database.ts'
import { migrate } from '../database/migrate.ts'
import type { Target } from './faults.ts'
import { connect, type Connections } from './gated-database.ts'
import { play, type Played, type PlayOptions } from './play.ts'
import { Random } from './random.ts'
import type { Limits } from './sponsors.ts'
import { type PolicyAction, tables } from './world.ts'

/** Of one world: more of them at once would only make its tables slower. */
export const worldSize = 100
/** Places at which a server is to die in one world. */
const targetsPerWorld = 4

type Named =
  | 'laterPolicies'
  | 'planted'
  | 'repairs'
  | 'only'
  | 'weather'
  | 'targets'
  | 'policies'
  | 'sponsors'
type More = Partial<Pick<PlayOptions, Named | 'sponsoredChance'>>

export type Simulator = {
  /** Several may run at a time, each in a database of its own. */
  play(options: Omit<PlayOptions, 'connections'>): Promise<Played>
  close(): Promise<void>
}

/** @param atOnce worlds that may run at a time: while one waits for its database, others go on */
export async function openSimulator(atOnce: number): Promise<Simulator> {
  const opened = await Promise.all(Array.from({ length: atOnce }, openPlace))
  const withPlace = taking(opened.map(({ connections }) => connections))
  return {
    play: (options) => withPlace((connections) => play({ ...options, connections })),
    close: async () => {
      for (const { close } of opened) await close()
    },
  }
}

/** The world of a seed, in which servers die at some of the points by plan. */
export function worldOf(
  seed: number,
  points: readonly Target[],
  { transfers = worldSize, ...more }: More & { readonly transfers?: number } = {},
): Omit<PlayOptions, 'connections'> {
  const known = points.length === 0 ? {} : { known: new Set(points.map(({ place }) => place)) }
  return { ...shapeOf(seed), transfers, targets: targetsOf(points, seed), ...known, ...more }
}

export async function openPlace() {
  const home = await createTestDatabase({ template: { name: 'server', fill } })
  const connections = await connect(home.url)
  await keepStill(connections)
  const close = async () => {
    await connections.end()
    await home.drop()
  }
  return { connections, close }
}

type WithPlace = <T>(run: (connections: Connections) => Promise<T>) => Promise<T>

/** Whoever comes when all are taken waits for the next one that is free. */
function taking(places: Connections[]): WithPlace {
  const waiting: ((place: Connections) => void)[] = []
  const take = async () => places.pop() ?? new Promise<Connections>((found) => waiting.push(found))
  const giveBack = (place: Connections) => {
    const next = waiting.shift()
    if (next === undefined) places.push(place)
    else next(place)
  }
  return async (run) => {
    const place = await take()
    try {
      return await run(place)
    } finally {
      giveBack(place)
    }
  }
}

async function fill(url: string): Promise<void> {
  const database = openDatabase(url, (error) => {
    throw error
  })
  await migrate(database)
  await database.destroy()
}

/**
 * Nothing that the database does by itself is to move rows: in a tie, their place decides who is first.
 * What a server's death leaves is here a matter of transactions alone, so that nothing is logged for
 * a database that dies.
 */
async function keepStill({ statements }: Connections): Promise<void> {
  for (const name of tables)
    await statements.query(`alter table "${name}" set unlogged, set (autovacuum_enabled = off)`)
}

/** How many of what there are in a world: the seed alone says so. */
function shapeOf(seed: number): Shape {
  const random = new Random(`shape ${seed}`)
  const shape = {
    seed: String(seed),
    servers: random.between(1, 4),
    nodes: random.happens(0.25) ? 3 : 1,
    wallets: random.between(2, 6),
  }
  const some = () => Array.from({ length: random.between(1, 2) }, () => actionBy(random))
  const policies = random.happens(governedChance) ? some() : []
  const laterPolicies = random.happens(governedChance) ? some() : []
  const sponsors = sponsorsBy(random)
  return { ...shape, policies, laterPolicies, sponsors, mayBeLate: random.happens(lateChance) }
}

type Shape = Pick<
  PlayOptions,
  'seed' | 'servers' | 'nodes' | 'wallets' | 'policies' | 'laterPolicies' | 'sponsors' | 'mayBeLate'
>
const governedChance = 0.2
const lateChance = 0.5
const [sponsorsChance, tightChance] = [0.3, 0.3]
/** Of a payment it costs some 0.0002 ether at the usual fees, forty times as much at the worst. */
const tightPerDay = (10n ** 16n).toString()

function sponsorsBy(random: Random): readonly Limits[] {
  if (!random.happens(sponsorsChance)) return []
  return Array.from({ length: random.between(1, 2) }, () =>
    random.happens(tightChance) ? { perDay: tightPerDay } : {},
  )
}

function actionBy(random: Random): PolicyAction {
  return random.happens(0.2) ? 'blocks' : 'asks'
}

/** In turn, so that worlds in a row come to all of them; when they are through, later times at a place. */
function targetsOf(points: readonly Target[], seed: number): readonly Target[] {
  const shuffled = new Random('points').shuffled(points)
  return Array.from({ length: targetsPerWorld }, (_, i) => i).flatMap((i) => {
    const turn = seed * targetsPerWorld + i
    const target = shuffled[turn % shuffled.length]
    if (target === undefined) return []
    return { ...target, time: 1 + (Math.floor(turn / shuffled.length) % 3) }
  })
}
