import { run } from './install.mjs'

await run('demo.ts')
