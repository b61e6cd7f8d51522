import { cpus, loadavg } from 'node:os'
import { benchDkg } from './dkg/bench.ts'
import { benchFrost } from './frost/bench.ts'
import { table } from './measure.ts'

/** The default cluster, and the one that is safe against two corrupt signers. */
const sizes = [
  { n: 4, t: 2 },
  { n: 5, t: 3 },
]
const runs = Number(process.argv[2] ?? 50)

const rows = [...benchDkg(runs, sizes), ...benchFrost(runs, sizes)]

console.log(
  `Processor time, median of ${runs} runs (first to last tenth), all parties in one process.`,
)
console.log(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)}\n`,
)
console.log(table(rows))
