import { run } from './install.mjs'

await run('../threshold/harness/main.ts')
