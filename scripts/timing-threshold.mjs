import { run } from './install.mjs'

await run('../threshold/kernel/testing/timing.ts')
