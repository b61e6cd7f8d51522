import type { Count } from './run.ts'
import { isAsInTheory, rateLine, rateOf } from './rates.ts'
import { scripts } from './scripts.ts'
import { settings } from './settings.ts'

/**
 * More than all of it takes on a busy machine (docs/protocols/attacks.md). What is begun later is made
 * as thin as in `npm test`, and said to be: a hindered run ends, and hides nothing.
 */
const budgetMs = 30 * 60_000

/**
 * Every field of every message of every protocol, falsified in every way, with a line for each protocol.
 * @returns an exit code; with `all` for an argument clusters of up to seven as well
 */
export async function main(): Promise<number> {
  const all = process.argv.includes('all')
  const started = performance.now()
  const size = (): { readonly everything: boolean } => ({
    everything: performance.now() - started < budgetMs,
  })
  const counts: Count[] = []
  for (const setting of settings({ all })) {
    const { everything } = size()
    const count = setting.run({ everything })
    counts.push(count)
    process.stdout.write(`${everything ? '' : 'THINNED '}${lineOf(count)}\n`)
  }
  const wrong = measure(size)
  const seconds = Math.round((performance.now() - started) / 1000)
  const slips = counts.flatMap((count) => count.slips)
  process.stdout.write(
    `\n${totalOf(counts)}, ${seconds} s. ${slips.length} slipped through, ${wrong} rates are off.\n`,
  )
  for (const slip of slips) process.stdout.write(`SLIPPED ${slip}\n`)
  return slips.length + wrong > 0 ? 1 : 0
}

/** @returns how many attackers are caught more or less often than theory has it */
function measure(size: () => { readonly everything: boolean }): number {
  let wrong = 0
  process.stdout.write('\nAttackers who make all that follows fit their lie:\n')
  for (const script of scripts()) {
    const rate = rateOf(script, size())
    if (!isAsInTheory(rate)) wrong++
    process.stdout.write(`${isAsInTheory(rate) ? '' : 'NOT AS IN THEORY '}${rateLine(rate)}\n`)
  }
  return wrong
}

export function lineOf({ name, corrupt, fields, mutations, sessions, ends }: Count): string {
  const how = [...ends].toSorted(([, a], [, b]) => b - a).map(([end, count]) => `${end} ${count}`)
  const numbers = `${fields} fields, ${mutations} mutations, ${sessions} sessions`
  return `${name}, ${corrupt} corrupt: ${numbers}: ${how.join(', ')}`
}

export function totalOf(counts: readonly Count[]): string {
  const sum = (of: (count: Count) => number): number =>
    counts.reduce((total, count) => total + of(count), 0)
  const numbers = [sum(({ fields }) => fields), sum(({ mutations }) => mutations)]
  const sessions = sum((count) => count.sessions)
  return `${numbers[0]} fields, ${numbers[1]} mutations, ${sessions} sessions of ${counts.length} settings`
}
