import { run } from './install.mjs'

await run('quorate.ts')
