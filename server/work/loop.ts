import { setTimeout as sleep } from 'node:timers/promises'

export type Loop = {
  /** Something is due. Only a hint: without it, it is found a little later. */
  wake(): void
  /** Takes nothing new, and waits for the turn that is begun. */
  stop(): Promise<void>
}

type Turning = {
  /** Does what is due, or begins it. @returns after how many milliseconds to look again */
  readonly turn: () => Promise<number>
  readonly onError: (error: unknown) => void
  /** How long to leave it alone after an error: the database is gone, or so it seems. */
  readonly troubledMs: number
}

/** What every worker over leased rows does: one turn after the other, the next at once when woken. */
export function startLoop({ turn, onError, troubledMs }: Turning): Loop {
  const stopping = new AbortController()
  let woken = Promise.withResolvers<void>()

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      woken = Promise.withResolvers<void>()
      const delay = await turn().catch((error: unknown) => {
        onError(error)
        return troubledMs
      })
      await Promise.race([pause(delay, stopping.signal), woken.promise])
    }
  }

  const ended = loop()
  return {
    wake: () => woken.resolve(),
    stop: async () => {
      stopping.abort()
      await ended
    },
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
