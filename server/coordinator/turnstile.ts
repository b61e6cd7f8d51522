import { Failure } from '@quorate/core/failure'

export type Turnstile = <T>(work: () => Promise<T>) => Promise<T>

/**
 * Lets so many through at once, the others in the order in which they came. Signers work on one
 * question after the other: whoever sends them more at a time than they can answer within a round's
 * deadline gets nothing done at all.
 *
 * @throws Failure `signing.failed` when more than `waitingMax` wait already
 */
export function openTurnstile(widthMax: number, waitingMax: number): Turnstile {
  const waiting: (() => void)[] = []
  let inside = 0
  const enter = (): Promise<void> | undefined => {
    if (inside < widthMax) {
      inside++
      return undefined
    }
    if (waiting.length >= waitingMax)
      throw new Failure('signing.failed', { reason: 'too many keys wait for the signers' })
    return new Promise((resolve) => waiting.push(resolve))
  }
  // Whoever leaves hands his place on, so that nobody who comes just then gets in between.
  const leave = (): void => {
    const next = waiting.shift()
    if (next === undefined) inside--
    else next()
  }
  return async (work) => {
    await enter()
    try {
      return await work()
    } finally {
      leave()
    }
  }
}
