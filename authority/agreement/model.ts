import { violationsOf } from './model/hostile.ts'
import { runService } from './model/service.ts'
import { standardNumbers } from './model/world.ts'

/**
 * The search that `npm test` does in small, as large as wanted:
 *
 *     node authority/agreement/model.ts 1000000 [first seed]
 */
const runs = Number(process.argv[2] ?? 10_000)
const firstSeed = Number(process.argv[3] ?? 0)
/** A run of the service costs as much as several hostile ones, and finds its faults sooner. */
const hostileRunsPerService = 10

for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
  const numbers = standardNumbers[seed % standardNumbers.length] ?? standardNumbers[0]
  const found = [...violationsOf({ seed, numbers, restores: true })]
  if (found.length > 0) fail(seed, found.join('; '))
  if (seed % hostileRunsPerService === 0) serve(seed)
}
process.stdout.write(`${runs} runs from seed ${firstSeed}: no violation, nothing stuck.\n`)

function serve(seed: number): void {
  for (const numbers of standardNumbers) {
    const { world, stuck } = runService({ seed, numbers, hostileMoves: 60 })
    if (stuck) fail(seed, 'an honest server could not finish')
    if (world.violations.size > 0) fail(seed, [...world.violations].join('; '))
  }
}

function fail(seed: number, found: string): never {
  process.stderr.write(`Seed ${seed}: ${found}.\n`)
  process.exit(1)
}
