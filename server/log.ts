import { pino, type DestinationStream, type Logger } from 'pino'

/** Where a line stands for what happened: no request bodies, no evidence, no keys. */
export type Log = Pick<Logger, 'info' | 'warn' | 'error' | 'fatal'>

/** One line of JSON for each event. Of an error its kind and place: drivers put values beside. */
export function openLog(destination?: DestinationStream): Log {
  const options = {
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    serializers: { err: describe },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

function describe(error: unknown): object {
  if (!(error instanceof Error)) return { kind: typeof error }
  const { name, message, stack } = error
  const code = 'code' in error ? { code: error.code } : {}
  const cause = error.cause === undefined ? {} : { cause: describe(error.cause) }
  return { name, message, ...code, stack, ...cause }
}
