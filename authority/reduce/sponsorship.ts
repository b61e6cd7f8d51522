import {
  keyTable,
  requestTable,
  sponsoredTable,
  sponsorshipTable,
  walletTable,
} from '../records.ts'
import type { Sponsorship } from '../step.ts'
import { blockedReason } from './approved.ts'
import { subjectId, type Authored } from './author.ts'
import { evaluate, useActivity, type UseActivity } from './gate.ts'
import { own } from './held.ts'
import { find, refuse, type Judging, type SignablePlan } from './judging.ts'
import { judgeBid, outbidIn } from './outbidding.ts'
import { excessOf } from './replacement.ts'
import { addTo, sumSince, type Series } from './spending.ts'
import { isFill, isItsStream, judgeSponsor, sponsoredBy, type Sponsor } from './sponsor.ts'
import { countedOf, judgeOwner, renewalOf, takeSlot } from './use.ts'
import { put, type Reduced, type Write } from './writes.ts'

/** Over the times of steps, and sliding: nobody gets two days' worth around midnight. */
const dayMs = 24 * 60 * 60_000

/**
 * The second use of a request whose fees somebody else pays, in the stream of the key that pays. Its user
 * needs no right on that key: the sponsor is a standing rule, which carries only what the wallet's own
 * key has signed, after all its checks, and only so much in fees. It may come to more than one, each of
 * which outbids the one before; see `judgeBid`.
 */
export function reduceSponsorship(judging: Judging, authored: Authored): Reduced {
  const { request, preimage, step } = judging
  const { sponsor, sponsorship, plan, excess, activity } = planSponsorship(judging, authored)
  if (own(judging, requestTable, request) !== undefined) refuse('the request has been used')
  judgePolicies(judging, activity)
  const { slot, digests, fee } = sponsorship
  return {
    operation: { kind: 'sponsor', ...sponsorship },
    writes: [
      put(requestTable, [request], {
        ...{ slot, digests, fee },
        ...{ executeBefore: preimage.executeBefore, time: step.time },
      }),
      ...takeSlot(judging, sponsorship, plan),
      ...countedOf(judging, plan, { excess }),
      ...countedFor(judging, sponsor, { user: authored.user, fee }),
    ],
  }
}

/** The same once more, for signers who were not in time. Nothing is counted again. */
export function reduceSponsorRenewal(judging: Judging, authored: Authored): Reduced {
  const { sponsorship, activity } = planSponsorship(judging, authored)
  const renewed = renewalOf(judging, sponsorship)
  judgePolicies(judging, activity)
  return { operation: { kind: 'sponsorRenewal', ...sponsorship }, writes: [renewed] }
}

type PlannedSponsorship = {
  readonly sponsor: Sponsor
  readonly sponsorship: Sponsorship
  readonly plan: SignablePlan
  readonly excess: UseActivity['excess']
  readonly activity: UseActivity | undefined
}

/** Which key pays, whether it may, and what exactly it would sign. */
export function planSponsorship(judging: Judging, authored: Authored): PlannedSponsorship {
  const { evidence, preimage, rules } = judging
  const wallet = subjectId(judging, 'walletId')
  const paid = find(judging, walletTable, wallet)
  const paidKey = paid && find(judging, keyTable, paid.key)
  if (paid === undefined || paidKey === undefined) return refuse('there is no such wallet')
  const fills = isFill(judging)
  // Whatever has stopped it since it signed stops this as well.
  if (!fills) judgeOwner(judging, authored, paidKey)
  const { network } = paid
  const sponsor = judgeSponsor(judging, authored, { wallet, network })
  if (sponsor === undefined) return refuse('the request has no fee sponsor')
  if (!isItsStream(judging, sponsor)) refuse('the sponsorship stands in the stream of another key')
  const planned = rules.planSponsorship({
    operation: authored.match.name,
    payload: evidence.payload,
    network,
    publicKey: paidKey.publicKey,
    maxFee: preimage.maxFee,
    facts: evidence.facts,
    ...{ sponsored: sponsoredBy(judging, sponsor), fills },
  })
  if (!planned.ok) return refuse(planned.reason)
  const { slot, fee, digests } = planned
  if (slot === undefined) return refuse('a sponsorship takes a slot')
  const plan = judgeBid(judging, planned)
  const excess = excessOf(judging, plan)
  const { key, id } = { key: sponsor.key.terms.key, id: sponsor.id }
  const does = fills ? 'fill' : 'pay'
  return {
    ...{ sponsor, plan, excess },
    sponsorship: { sponsor: id, wallet, key, network: plan.network, slot, fee, does, digests },
    activity: useActivity(judging, sponsor.key, { ...plan, excess }),
  }
}

/** Those of the key that pays. Nobody waits for an approval in the middle of another request. */
function judgePolicies(judging: Judging, activity: UseActivity | undefined): void {
  const { verdict, reason } = evaluate(judging, activity)
  if (verdict === 'deny') refuse(blockedReason + reason)
  if (verdict === 'hold')
    refuse('a policy of the sponsor wants an approval, which no sponsorship waits for')
}

/**
 * The most that it can cost, whatever becomes of it: what reverts has cost its fee as well. Of each
 * limit, what was counted within the last day and this one together stay below. Of one that outbids
 * others, that is what it may cost more than the dearest of them.
 */
function countedFor(
  judging: Judging,
  { id, record: { limits } }: Sponsor,
  { user, fee }: { readonly user: Uint8Array; readonly fee: bigint },
): readonly Write[] {
  const since = judging.step.time - dayMs
  const [ofAll, ofUser] = [seriesOf(id), seriesOf(id, user)]
  if (fee > (limits.perOperation ?? fee))
    refuse('the fee is above what the sponsor pays for an operation')
  const more = fee - outbidIn(judging)
  if (more <= 0n && judging.bid > 0) return []
  const isWithin = (series: Series, limit: bigint | undefined) =>
    limit === undefined || sumSince(judging, series, since) + more <= limit
  if (!isWithin(ofAll, limits.perDay)) refuse('the fee is above what the sponsor pays in a day')
  if (!isWithin(ofUser, limits.perUserPerDay))
    refuse('the fee is above what the sponsor pays for a user in a day')
  return [...addTo(judging, ofAll, more), ...addTo(judging, ofUser, more)]
}

function seriesOf(...name: readonly Uint8Array[]): Series {
  return { counts: sponsoredTable, entries: sponsorshipTable, name }
}
