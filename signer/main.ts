import { setFlagsFromString } from 'node:v8'
import { logTo } from './log.ts'
import { signerSettings } from './settings.ts'
import { startSigner } from './start.ts'

/** sysexits(3): configuration error, and internal software error. */
const [exitConfig, exitDefect] = [78, 70]

/**
 * A session takes some megabytes of buffers and leaves nothing behind. They count towards the size at
 * which V8 goes through all of the heap, which with so small a heap it would do for every few signatures,
 * at a third of what these cost. At five times its size, some 100 MB, it is worth while.
 */
setFlagsFromString('--heap-growing-percent=400')

const log = logTo((line) => process.stdout.write(line))

try {
  const running = startSigner(signerSettings(), {
    clock: { wall: Date.now, steady: () => performance.now() },
    log,
    onDefect: (error) => {
      log({ event: 'defect', name: error instanceof Error ? error.name : 'unknown' })
      process.exit(exitDefect)
    },
  })
  const stop = (): void => {
    running.stop()
    log({ event: 'stopped' })
    process.exit(0)
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'Cannot start.'}\n`)
  process.exitCode = exitConfig
}
