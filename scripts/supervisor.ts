import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from '@quorate/devnet/child'

/** A process to keep alive. `start` answers once it works, and throws when it cannot. */
export type Service<Running extends Child = Child> = {
  readonly name: string
  readonly start: () => Promise<Running>
}

export type Supervised<Running extends Child = Child> = {
  /** The present process; another object after each restart. */
  readonly current: () => Running
  /** Ends it for good. Safe to call twice; a restart that is under way is stopped once it is done. */
  stop(): Promise<void>
}

export type Supervision = {
  readonly say: (line: string) => void
  /** After a process has been replaced by another. */
  readonly onRestart?: () => void
  readonly backOff?: BackOff
}

export type BackOff = { readonly firstMs: number; readonly mostMs: number; readonly calmMs: number }

/**
 * A crash by accident is mended at once; one that repeats does not eat the machine. Whatever has
 * run for `calmMs` is taken for healthy again.
 */
const usualBackOff: BackOff = { firstMs: 200, mostMs: 15_000, calmMs: 30_000 }

/** Starts a service and starts it again whenever it ends by itself. The first start may throw. */
export async function supervise<Running extends Child>(
  { name, start }: Service<Running>,
  { say, onRestart = () => undefined, backOff = usualBackOff }: Supervision,
): Promise<Supervised<Running>> {
  let running = await start()
  const stopping = new AbortController()
  void keep()

  async function keep(): Promise<void> {
    let waitMs = backOff.firstMs
    for (;;) {
      const since = performance.now()
      let reason = `ended (${await running.exited})`
      if (performance.now() - since >= backOff.calmMs) waitMs = backOff.firstMs
      do {
        if (stopping.signal.aborted) return
        say(`${name} ${reason}: starting it again in ${waitMs / 1000} s`)
        if (!(await pause(waitMs, stopping.signal))) return
        waitMs = Math.min(waitMs * 2, backOff.mostMs)
        reason = await startAgain()
      } while (reason !== '')
    }
  }

  /** Answers why not, or nothing. */
  async function startAgain(): Promise<string> {
    try {
      running = await start()
    } catch (error) {
      return `did not start (${error instanceof Error ? error.message : String(error)})`
    }
    if (stopping.signal.aborted) await running.stop()
    else onRestart()
    return ''
  }

  const stop = async () => {
    stopping.abort()
    await running.stop()
  }
  return { current: () => running, stop }
}

/** Waits; false when it was cut short. */
async function pause(waitMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(waitMs, undefined, { signal })
    return true
  } catch (error) {
    if (signal.aborted) return false
    throw error
  }
}
