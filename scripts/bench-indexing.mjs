import { run } from './install.mjs'

await run('../server/history/testing/bench.ts')
