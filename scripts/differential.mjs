import { run } from './install.mjs'

await run('../effects/evm/testing/main.ts')
