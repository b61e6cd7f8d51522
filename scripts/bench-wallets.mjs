import { run } from './install.mjs'

await run('bench-wallets.ts')
