import { cpus, loadavg } from 'node:os'
import { benchDh } from './dh/bench.ts'
import { benchDkg } from './dkg/bench.ts'
import { benchEcdsa } from './ecdsa/bench.ts'
import { benchFrost } from './frost/bench.ts'
import { table } from './measure.ts'
import { benchTaproot } from './taproot/bench.ts'

/** The default cluster, and the one that is safe against two corrupt signers. */
const sizes = [
  { n: 4, t: 2 },
  { n: 5, t: 3 },
]
const runsUsual = 50

/** @returns an exit code; the first argument says how many runs */
export async function main(): Promise<number> {
  const runs = Number(process.argv[2] ?? runsUsual)
  const ecdsa = await benchEcdsa(runs, sizes)
  const schnorr = [...benchFrost(runs, sizes), ...benchTaproot(runs, sizes)]
  const rows = [...benchDkg(runs, sizes), ...schnorr, ...benchDh(runs, sizes), ...ecdsa]
  const machine = `${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)}`
  process.stdout.write(
    `Processor time: median of ${runs} runs, of noble a fifth as many (first to last tenth).
All parties run in one process. Node ${process.version}, ${machine}

${table(rows)}
`,
  )
  return 0
}
