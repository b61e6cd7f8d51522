import { run } from './install.mjs'

await run('bundle.ts')
