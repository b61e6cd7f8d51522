import { run } from './install.mjs'

await run('bench-auth.ts')
