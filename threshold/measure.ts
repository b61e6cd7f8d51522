import type { Party } from './session.ts'

/** Runs one party's work and charges it with the processor time. */
export type Clock = <T>(party: Party | 'coordinator', work: () => T) => T

export type Row = {
  readonly what: string
  /** Milliseconds of processor time of one party, on average over the parties: one entry per run. */
  readonly partyMs: readonly number[]
  /** Of all parties and the coordinator together. */
  readonly allMs: readonly number[]
}

/** The first runs compile the code and are not counted. */
const warmups = 5

/** Processor time, so that other work on the machine disturbs as little as may be. */
export function measure(what: string, runs: number, run: (clock: Clock) => void): Row {
  const partyMs: number[] = []
  const allMs: number[] = []
  for (let i = -warmups; i < runs; i++) {
    const spent = timesOf(run)
    if (i < 0) continue
    const parties = [...spent].filter(([who]) => who !== 'coordinator').map(([, ms]) => ms)
    partyMs.push(sum(parties) / parties.length)
    allMs.push(sum([...spent.values()]))
  }
  return { what, partyMs, allMs }
}

export function table(rows: readonly Row[]): string {
  const cells = rows.map(({ what, partyMs, allMs }) => [what, spread(partyMs), spread(allMs)])
  const head = ['', 'per party, ms', 'all parties, ms']
  const lines = [head, ...cells].map(([what = '', party = '', all = '']) =>
    [what.padEnd(44), party.padStart(24), all.padStart(24)].join(' '),
  )
  return lines.join('\n')
}

function timesOf(run: (clock: Clock) => void): ReadonlyMap<Party | 'coordinator', number> {
  const spent = new Map<Party | 'coordinator', number>()
  run((who, work) => {
    const before = process.cpuUsage()
    const result = work()
    const { user, system } = process.cpuUsage(before)
    spent.set(who, (spent.get(who) ?? 0) + (user + system) / 1000)
    return result
  })
  return spent
}

/** Median, and between which tenth and ninth tenth of the runs lie. */
function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number): string =>
    (sorted[Math.round(part * (sorted.length - 1))] ?? Number.NaN).toFixed(2)
  return `${at(0.5)} (${at(0.1)} to ${at(0.9)})`
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
