import { requestTable, type RecordOf } from '../records.ts'
import { sponsorshipHash } from '../request.ts'
import { isFrozen } from '../standing.ts'
import { judgeCommitments, presumedAuthor, type Authored } from './author.ts'
import { own } from './held.ts'
import { recordsOf, refuse, type Judging, type SignablePlan } from './judging.ts'
import { isFill } from './sponsor.ts'

type Bid = RecordOf<typeof requestTable>

/**
 * What a sponsor has sent may offer too little for any block to take it. Then another one stands
 * at the same slot, for the same request and by the same rule: the chain takes one of them, and what the
 * account has signed is carried out once, by whichever. So nothing of it is counted twice.
 *
 * @returns the plan of a bid that is not the first, once it stands where the one before it does
 */
export function judgeBid(judging: Judging, plan: SignablePlan): SignablePlan {
  const { bid, challenge } = judging
  if (bid === 0) return plan
  const last = bidAt(judging, bid - 1)
  if (last === undefined || last.slot !== plan.slot)
    refuse('what it is to outbid is not at this slot')
  const effect = isFill(judging) ? undefined : sponsorshipHash(challenge)
  return { ...plan, replaces: { effect } }
}

/** The most that those before it may cost, of which the chain carries out one at most. */
export function outbidIn(judging: Judging): bigint {
  const fees = Array.from({ length: judging.bid }, (_, bid) => bidAt(judging, bid)?.fee ?? 0n)
  return fees.reduce((most, fee) => (fee > most ? fee : most), 0n)
}

function bidAt(judging: Judging, bid: number): Bid | undefined {
  return own(judging, requestTable, sponsorshipHash(judging.challenge, bid))
}

/**
 * Whose request it was. He had signed when the first bid was agreed on; nothing is done for him now, and
 * what has become of him since does not keep the slot taken.
 */
export function judgeFill(judging: Judging): Authored {
  judgeCommitments(judging)
  const { organization } = judging.step
  if (isFrozen(recordsOf(judging), organization)) refuse('the organization is frozen')
  return presumedAuthor(judging)
}
