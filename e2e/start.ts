import { main } from '@quorate/scripts/start'

// `npm start` without its first half, which installs: whoever runs these tests has installed.

const stopping = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopping.abort())

try {
  process.exit(await main(stopping.signal))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
