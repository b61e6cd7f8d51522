import { setTimeout } from 'node:timers/promises'
import { Ceremony, type CeremonyOutcome, type CeremonyPlan } from './ceremony.ts'

/** The queue of a signer's worker thread is some seconds long when it is full (`signer/worker`). */
const waitMs = { first: 100, last: 1_600 } as const
/** With the waits between them some three seconds: then whoever asks is told that a signer has no room. */
export const attemptsMax = 6

/**
 * A ceremony that every participant has room for, which is asked for a few times: the others may be busy
 * with what will soon be over. Nobody has said anything by then that could not be said again.
 *
 * @param plan another one each time: a signer takes part in a session once
 */
export async function whenFree(plan: () => CeremonyPlan): Promise<CeremonyOutcome> {
  for (
    let attempt = 1, ms: number = waitMs.first;
    ;
    attempt++, ms = Math.min(2 * ms, waitMs.last)
  ) {
    const ceremony = new Ceremony(plan())
    const outcome = await ceremony.go()
    if (outcome.kind !== 'busy') return outcome
    // Those who had room hold it until they are told.
    ceremony.close()
    if (attempt === attemptsMax) return outcome
    await setTimeout(ms)
  }
}
