import { main as demo } from '@quorate/scripts/demo'
import { main as start } from '@quorate/scripts/start'

// `npm start` and `npm run demo` without their first half, which installs: whoever runs these
// tests has installed.

const entry = process.argv[2] === 'demo' ? demo : start
const stopping = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopping.abort())

try {
  process.exit(await entry(stopping.signal))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
