import { fileURLToPath } from 'node:url'
import { runPlatform } from '../run-platform.ts'
import { startSettings } from '../settings.ts'

// For tests of the supervisor: `npm start`, with stand-ins for the server and the signers.

const stopping = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopping.abort())
const entry = (name: string) => fileURLToPath(new URL(name, import.meta.url))

try {
  const code = await runPlatform(startSettings(process.env), stopping.signal, {
    bootstrap: async ({ earlier }) => earlier ?? { orgId: 'or-test', madeAt: Date.now() },
    entries: { server: entry('server.ts'), signer: entry(process.argv[2] ?? 'signer.ts') },
  })
  process.exit(code)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
