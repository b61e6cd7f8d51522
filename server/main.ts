import { openLog } from './log.ts'
import { serverSettings } from './settings.ts'
import { startServer } from './start.ts'

/** Longer than the longest request; a proxy has stopped sending by then. */
const stopMsMax = 7_000

const log = openLog()
// A defect leaves nothing that could be trusted to go on: whoever keeps this process starts another.
process.on('uncaughtException', (error) => {
  log.fatal({ err: error }, 'defect')
  process.exit(1)
})

try {
  const server = await startServer(serverSettings(process.env), log)
  const stop = (): void => {
    setTimeout(() => process.exit(1), stopMsMax).unref()
    server.stop().then(
      () => process.exit(0),
      (error) => {
        log.error({ err: error }, 'did not stop in order')
        process.exit(1)
      },
    )
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
