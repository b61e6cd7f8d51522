import { run } from './install.mjs'

await run('../policy/bench.ts')
