import { run } from './install.mjs'

await run('bench-transfers.ts')
