import { isAtRest } from '../transfers/lifecycle.ts'
import type { Outcome, StepDeps } from '../transfers/outcome.ts'
import type { Outgoing } from '../transfers/tables.ts'
import { watch } from '../transfers/watch.ts'
import { sponsoredOf, sponsorshipsOf } from './find.ts'
import { isFill, outbid } from './outbid.ts'

/**
 * As long as its request is under way, that looks whether what is sent for it is left lying (`follow.ts`).
 * What fills a slot may be sent later than that: then it has to look for itself.
 */
export async function watchSponsorship(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  const outcome = await watch(deps, row)
  if (outcome.kind !== 'wait' || !isFill(row)) return outcome
  const asked = await sponsoredOf(deps.database, row)
  if (!isAtRest(asked.state)) return outcome
  const newest = (await sponsorshipsOf(deps.database, asked)).at(-1)
  if (newest?.bid !== row.bid) return outcome
  return (await outbid(deps, asked, row)) ?? outcome
}
