import { cpus, loadavg } from 'node:os'

export type Spread = {
  readonly least: number
  readonly median: number
  readonly p95: number
  readonly p99: number
  readonly count: number
}

export async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const from = performance.now()
  const value = await work()
  return { ms: performance.now() - from, value }
}

/** One after the other. @returns milliseconds of each */
export async function timesOf(count: number, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < count; i++) times.push((await timed(work)).ms)
  return times
}

/**
 * Every worker does its work `count` times, all workers at once.
 * @returns how often a second, over all of them
 */
export async function rateOf(
  count: number,
  workers: readonly (() => Promise<unknown>)[],
): Promise<number> {
  const { ms } = await timed(() => Promise.all(workers.map((work) => timesOf(count, work))))
  return (workers.length * count * 1000) / ms
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.round(part * (sorted.length - 1))] ?? Number.NaN
  return {
    least: at(0),
    median: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    count: values.length,
  }
}

const nameWidth = 46

export function heading(title: string): string {
  const columns = ['least', 'p50', 'p95', 'p99', 'runs'].map((name) => name.padStart(9)).join('')
  return `\n${title.padEnd(nameWidth)}${columns}`
}

export function line(name: string, values: readonly number[]): string {
  const { least, median, p95, p99, count } = spreadOf(values)
  const times = [least, median, p95, p99].map((ms) => ms.toFixed(1).padStart(9)).join('')
  return `  ${name}`.padEnd(nameWidth) + times + String(count).padStart(9)
}

/** Others on the machine only ever slow a round down, so that the best one says most. */
export function rateLine(name: string, rates: readonly number[]): string {
  const sorted = rates.toSorted((a, b) => b - a)
  const at = (part: number) => (sorted[Math.round(part * (sorted.length - 1))] ?? 0).toFixed(1)
  const text = `${at(0)} a second at best, median ${at(0.5)}, worst ${at(1)} (${rates.length} rounds)`
  return `  ${name}`.padEnd(nameWidth) + text
}

/** What figures of time mean nothing without. */
export function machine(): string {
  const load = loadavg().map((value) => value.toFixed(1))
  return `${cpus().length} × ${cpus()[0]?.model}; load ${load.join(', ')}; Node ${process.version}`
}
