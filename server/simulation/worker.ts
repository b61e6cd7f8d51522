import { runWorlds, type Work } from './worlds.ts'

/** A process of `crew.ts`, which says what there is to do, hears what comes of it, and says when to stop. */
const stopping = new AbortController()
const stop = () => stopping.abort()

// A Ctrl-C reaches all processes of a terminal; what it means for this one its parent says.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined)
process.once('SIGTERM', stop)
process.once('disconnect', stop)
process.once('message', (work: Work) => {
  void runWorlds(work, stopping.signal, (news) => process.connected && process.send?.(news)).then(
    () => process.connected && process.disconnect(),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
      process.exit(1)
    },
  )
})
