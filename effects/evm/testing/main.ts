import { parseArgs } from 'node:util'
import { compare } from './differential.ts'

const casesUsual = 100_000
const casesMax = 100_000_000
const toldEvery = 100_000

/**
 * `npm run differential -- [--cases 1000000] [--from 0]`: cases drawn from numbers, each held against viem.
 * @returns 0 when none differs; the first that does is named by its number
 */
export async function main(stopSignal: AbortSignal): Promise<number> {
  const { cases, from } = readArguments()
  const counts = new Map<string, number>()
  const begun = performance.now()
  for (let i = 0; i < cases && !stopSignal.aborted; i++) {
    const kind = compare(from + i)
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
    if ((i + 1) % toldEvery === 0) {
      console.log(`${i + 1} cases, ${((performance.now() - begun) / 1_000).toFixed(0)} s`)
      // A signal is heard between two turns of the loop.
      await new Promise(setImmediate)
    }
  }
  for (const [kind, count] of counts) console.log(`${String(count).padStart(9)}  ${kind}`)
  const done = [...counts.values()].reduce((sum, count) => sum + count, 0)
  console.log(`${done} cases from ${from}: no disagreement, no crash.`)
  return done === cases ? 0 : 1
}

function readArguments(): { readonly cases: number; readonly from: number } {
  const { values } = parseArgs({
    options: { cases: { type: 'string' }, from: { type: 'string' } },
  })
  const [cases, from] = [Number(values.cases ?? casesUsual), Number(values.from ?? 0)]
  if (!Number.isSafeInteger(cases) || cases < 1 || cases > casesMax)
    throw new Error(`--cases is a number from 1 to ${casesMax}.`)
  if (!Number.isSafeInteger(from) || from < 0) throw new Error('--from is a number from 0.')
  return { cases, from }
}
