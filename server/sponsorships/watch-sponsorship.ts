import { isAtRest } from '../transfers/lifecycle.ts'
import type { Step } from '../transfers/outcome.ts'
import { send } from '../transfers/send.ts'
import { watch } from '../transfers/watch.ts'
import { sponsoredOf, sponsorshipsOf } from './find.ts'
import { isFill, outbid } from './outbid.ts'

/**
 * As long as its request is under way, that looks whether what is sent for it is left lying (`follow.ts`).
 * What fills a slot may be sent later than that: then it has to look for itself, be it that no node takes it or
 * no block.
 */
function unlessAlone(step: Step): Step {
  return async (deps, row) => {
    const outcome = await step(deps, row)
    if (outcome.kind !== 'wait' || !isFill(row)) return outcome
    const asked = await sponsoredOf(deps.database, row)
    if (!isAtRest(asked.state)) return outcome
    const newest = (await sponsorshipsOf(deps.database, asked)).at(-1)
    if (newest?.bid !== row.bid) return outcome
    return (await outbid(deps, asked, row)) ?? outcome
  }
}

export const sendSponsorship = unlessAlone(send)
export const watchSponsorship = unlessAlone(watch)
