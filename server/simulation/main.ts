import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { runCrew } from './crew.ts'
import { KeptOutcomes } from './kept-outcomes.ts'
import { brokenOff, type Outcome, Tally } from './tally.ts'
import { type News, runWorlds, sweepMin, type Work } from './worlds.ts'

/** Deaths at all points make some 6,000; the rest are worlds by chance. Three minutes on two cores. */
const transfersUsual = 8_000
/** Hours without a word look like a process that hangs. */
const progressMs = 15_000

type Asked = Omit<Work, 'worker' | 'done'> & { readonly kept?: string }

/**
 * `npm run simulate -- --transfers 1000000`, in as many processes as there are cores (`--workers`), and
 * `--seed N --transfers 100` to see a world again that has failed. With `--kept FILE` it goes on where
 * it was stopped.
 */
export async function main(stopSignal: AbortSignal): Promise<number> {
  const asked = askedOf(process.argv.slice(2))
  const { first, transfers, workers, point, kept: path } = asked
  const kept = path === undefined ? undefined : new KeptOutcomes(path, asked)
  const began = performance.now()
  const tally = new Tally()
  const before = kept?.outcomes ?? []
  for (const outcome of before) tally.add(outcome)
  const seconds = () => (kept?.seconds ?? 0) + (performance.now() - began) / 1000
  const progress = setInterval(() => {
    if (!stopSignal.aborted) say(progressOf(tally, seconds()))
  }, progressMs)
  const hear = (news: News) => {
    if (news.kind === 'census') Object.assign(tally, news)
    else {
      tally.add(news.outcome)
      kept?.add(news.outcome, seconds())
      tellFindings(news.outcome)
    }
  }
  const done = new Set(before.map(({ again }) => again))
  const work = { first, transfers, workers, done, ...(point === undefined ? {} : { point }) }
  // What is under way still comes to its end, which nobody has to wait for to see the figures.
  stopSignal.addEventListener('abort', () => say(reportOf(tally, asked, seconds())))
  try {
    if (workers === 1) await runWorlds({ ...work, worker: 0 }, stopSignal, hear)
    else await runCrew(work, stopSignal, hear)
  } finally {
    clearInterval(progress)
    if (!stopSignal.aborted) say(reportOf(tally, asked, seconds()))
  }
  const isWhole = transfers >= sweepMin && !stopSignal.aborted
  const isMissing = tally.unreached.length > 0 || (isWhole && tally.unvisited().length > 0)
  return tally.findings.size > 0 || isMissing ? 1 : 0
}

function askedOf(args: string[]): Asked {
  const option = { type: 'string' } as const
  const options = { transfers: option, seed: option, workers: option, point: option, kept: option }
  const { values } = parseArgs({ args, options })
  const { seed = '1', point, kept } = values
  const transfers = wholeNumber(values.transfers ?? String(transfersUsual))
  // One world, or one death, is for a look: it is there soonest where nobody else starts.
  const isLook = transfers < sweepMin || point !== undefined
  const workers = values.workers ?? String(isLook ? 1 : availableParallelism())
  return {
    ...{ first: wholeNumber(seed), transfers, workers: wholeNumber(workers) },
    ...(point === undefined ? {} : { point: wholeNumber(point) }),
    ...(kept === undefined ? {} : { kept }),
  }
}

function wholeNumber(text: string): number {
  if (!/^(?:0|[1-9][0-9]{0,8})$/.test(text)) throw new Error(`${text} is no number of this kind.`)
  return Number(text)
}

function tellFindings({ again, findings }: Outcome): void {
  if (findings.length === 0) return
  say(`a world fails; once more: npm run simulate -- ${again}`)
  for (const { kind, about } of findings) say(`  ${kind}: ${about}`)
}

function progressOf(tally: Tally, seconds: number): string {
  const { transfers, faultsCount, points } = tally
  const visited = points.length - tally.unvisited().length
  const rate = (transfers / seconds).toFixed(1)
  return `${seconds.toFixed(0)} s: ${transfers} transfers (${rate}/s), ${faultsCount} faults, ${visited} of ${points.length} crash points`
}

function reportOf(tally: Tally, { first, workers }: Asked, seconds: number): string {
  const counted = (counts: ReadonlyMap<string, number>) =>
    [...counts].toSorted().map(([name, count]) => `  ${String(count).padStart(9)} ${name}`)
  const { transfers, statuses, faults, faultsCount, points } = tally
  const unvisited = tally.unvisited()
  const rate = (transfers / seconds).toFixed(1)
  return [
    `${transfers} transfers and transactions, seeds from ${first}`,
    `${seconds.toFixed(1)} s, ${rate} a second (--workers ${workers})`,
    ...counted(statuses),
    `${faultsCount} faults`,
    ...counted(faults),
    `crash points: ${points.length - unvisited.length} visited of ${points.length}`,
    ...(transfers >= sweepMin ? unvisited.map((point) => `  not visited: ${point}`) : []),
    ...tally.unreached.map((move) => `no scenario leads to: ${move}`),
    `where only chance has led: ${tally.visitedByChance} visited of ${2 * tally.unknown.size}`,
    ...[...tally.unknown].toSorted().map((place) => `  ${place}`),
    `double spends: ${tally.count('paid twice', 'may be paid twice', 'paid something else')}`,
    `lost: ${tally.count('lost', 'unanswered')}`,
    `failed for nothing: ${tally.count('failed for nothing')}`,
    `nonce gaps: ${tally.count('stuck nonce', 'mended for nothing')}`,
    `without approval: ${tally.count('paid without approval')}`,
    `told wrongly: ${tally.count(...wrongWords)}`,
    `defects: ${tally.count('defect')}`,
    `worlds broken off: ${tally.count(brokenOff)}`,
  ].join('\n')
}

const say = (text: string) => process.stdout.write(`${text}\n`)

const wrongWords = ['confirmed, not paid', 'confirmed too early', 'taken back', 'failed, yet paid']
