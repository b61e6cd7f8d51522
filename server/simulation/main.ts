import { parseArgs } from 'node:util'
import type { Played } from './play.ts'
import { openSimulator, Tally, worldSize, type Simulator } from './simulate.ts'

/** A minute or two; on a machine that is busy otherwise, three or four. */
const transfersUsual = 3_000

/** One process computes while the database of another world does. */
const worldsAtOnce = 4

/** `npm run simulate -- --transfers 1000000`, and `--seed N` to see a world again that has failed. */
export async function main(stopSignal: AbortSignal): Promise<number> {
  const { values } = parseArgs({
    options: { transfers: { type: 'string' }, seed: { type: 'string' } },
  })
  const transfers = wholeNumber(values.transfers ?? String(transfersUsual))
  const first = wholeNumber(values.seed ?? '1')
  const began = performance.now()
  const simulator = await openSimulator(worldsAtOnce)
  try {
    const tally = await run(simulator, { first, transfers, stopSignal })
    report(tally, simulator, { first, seconds: (performance.now() - began) / 1000 })
    return tally.failed.length === 0 ? 0 : 1
  } finally {
    await simulator.close()
  }
}

function wholeNumber(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new Error(`${text} is no number of transfers or seed.`)
  return Number(text)
}

async function run(
  simulator: Simulator,
  asked: { readonly first: number; readonly transfers: number; readonly stopSignal: AbortSignal },
): Promise<Tally> {
  const { first, transfers, stopSignal } = asked
  const tally = new Tally()
  let seed = first
  const last = first + Math.ceil(transfers / worldSize)
  const one = async (): Promise<void> => {
    while (seed < last && !stopSignal.aborted) {
      const mine = seed++
      const played = await simulator.world(mine)
      tally.add(mine, played)
      tell(mine, played)
    }
  }
  await Promise.all(Array.from({ length: worldsAtOnce }, one))
  return tally
}

function tell(seed: number, { findings }: Played): void {
  if (findings.length === 0) return
  say(`seed ${seed} fails; again: npm run simulate -- --seed ${seed} --transfers ${worldSize}`)
  for (const { kind, about } of findings) say(`  ${kind}: ${about}`)
}

function report(
  tally: Tally,
  simulator: Simulator,
  { first, seconds }: { readonly first: number; readonly seconds: number },
): void {
  const counted = (counts: ReadonlyMap<string, number>) =>
    [...counts].toSorted().map(([name, count]) => `  ${String(count).padStart(9)} ${name}`)
  const faults = [...tally.faults.values()].reduce((sum, count) => sum + count, 0)
  const unvisited = simulator.points.length - tally.visitedOf(simulator.points)
  const lines = [
    `${tally.transfers} transfers and transactions, seeds from ${first}, ${seconds.toFixed(1)} s`,
    ...counted(tally.statuses),
    `${faults} faults`,
    ...counted(tally.faults),
    `crash points: ${simulator.points.length - unvisited} visited of ${simulator.points.length}`,
    `double spends: ${tally.count('paid twice', 'may be paid twice', 'paid something else')}`,
    `lost: ${tally.count('lost')}`,
    `nonce gaps: ${tally.count('stuck nonce')}`,
    `told wrongly: ${tally.count(...wrongWords)}`,
  ]
  say(lines.join('\n'))
}

const say = (text: string) => process.stdout.write(`${text}\n`)

const wrongWords = ['confirmed, not paid', 'confirmed too early', 'taken back', 'failed, yet paid']
