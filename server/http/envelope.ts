import { randomBytes } from 'node:crypto'

import { problemOf } from '@quorate/api/problems'
import type { Problem } from '@quorate/api/problems'
import { isFailure } from '@quorate/core/failure'

/** As much of a logger as the edge needs; pino's fits. */
export type Log = { error(context: object, message: string): void }

/** `message` stands twice: one official client reads it inside, another at the top. */
export type Envelope = {
  readonly error: {
    readonly id: string
    readonly status: number
    readonly message: string
    readonly details: Readonly<Record<string, unknown>>
  }
  readonly message: string
}

export function envelopeOf({ status, message, details = {} }: Problem): Envelope {
  return { error: { id: errorId(), status, message, details }, message }
}

/**
 * A failure says what it is. Of everything else the client learns an id, and the log the rest: an
 * unexpected error may hold anything.
 */
export function envelopeOfError(error: unknown, doing: string, log: Log): Envelope {
  if (isFailure(error)) {
    const envelope = envelopeOf(problemOf(error))
    if (error.cause !== undefined && envelope.error.status >= 500)
      log.error({ id: envelope.error.id, doing, err: error }, 'failed')
    return envelope
  }
  const envelope = envelopeOf({ status: 500, message: 'Internal Server Error' })
  log.error({ id: envelope.error.id, doing, err: error }, 'unexpected error')
  return envelope
}

/** 19 digits, the form that clients know: 10^18 to 10^19 - 1. */
function errorId(): string {
  return String((randomBytes(8).readBigUInt64BE() % (9n * 10n ** 18n)) + 10n ** 18n)
}
