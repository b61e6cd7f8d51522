import { main as demo } from '@quorate/scripts/demo'
import { main as start } from '@quorate/scripts/start'

// `npm start` and `npm run demo` without their first half, which installs: whoever runs these
// tests has installed. What a test kills is no crash that repeats, so it is there again at once.

const backOff = { firstMs: 200, mostMs: 200, calmMs: 30_000 }
const entry = process.argv[2] === 'demo' ? demo : (signal: AbortSignal) => start(signal, backOff)
const stopping = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopping.abort())

try {
  process.exit(await entry(stopping.signal))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
