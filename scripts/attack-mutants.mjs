import { run } from './install.mjs'

await run('../e2e/attacks/mutants.ts')
