import { Failure, isFailure } from '@quorate/core/failure'

/** Why foreign bytes are not believed, where a reason helps whoever sent them. */
export function refuse(reason: string): never {
  throw new Failure('request.refused', { reason })
}

/**
 * What parsers refuse is a no. Whatever else they throw is a defect of ours, and goes on to stop
 * the process: a signer that swallowed it might disagree with the others.
 */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (isFailure(error)) return undefined
    throw error
  }
}
