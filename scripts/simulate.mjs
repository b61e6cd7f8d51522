import { run } from './install.mjs'

await run('../server/simulation/main.ts')
