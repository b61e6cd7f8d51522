import { run } from './install.mjs'

await run('../threshold/bench.ts')
