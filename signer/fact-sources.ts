import type { Judgement } from '@quorate/authority/agreement/voter'
import type { Body } from '@quorate/authority/body'
import type { Reader } from '@quorate/authority/reduce/judging'
import { keyTable } from '@quorate/authority/records'
import { settingsOf } from '@quorate/authority/standing'
import { decodeFacts } from '@quorate/effects/facts'
import { disputeOf } from '@quorate/policy/disputes'
import type { OwnFacts } from './own-facts.ts'
import { recordsIn } from './statements.ts'
import type { Place } from './store/store.ts'

type Asked = {
  readonly place: Place
  readonly body: Body
  readonly reader: Reader
  /** By the clock of this signer. */
  readonly now: number
}

/**
 * Where the organization has it so, prices and screenings that policies would go by must be borne out
 * by what this signer knows itself: one honest signer in every quorum then upholds limits in dollars,
 * too. Its own view, and never part of validity.
 */
export function judgeSources(ownFacts: OwnFacts, { place, body, reader, now }: Asked): Judgement {
  const { organization, stream } = place
  // What else is called facts, in other streams, are certificates and challenges.
  if (stream.kind !== 'key') return { ok: true }
  const records = recordsIn(organization, reader)
  const { prices, screenings } = settingsOf(records).factSources
  const about = { prices: prices === 'Signer', screenings: screenings === 'Signer' }
  // No policy looks at what an end user's own keys sign.
  const isOwned = records.find(keyTable, stream.id)?.owner !== undefined
  if ((!about.prices && !about.screenings) || isOwned) return { ok: true }
  for (const [item, { facts }] of body.evidence.entries()) {
    if (facts.length === 0) continue
    const said = decodeFacts(facts)
    const detail = disputeOf({ said, time: body.step.time, own: ownFacts(), now, about })
    if (detail !== undefined) return { ok: false, item, detail }
  }
  return { ok: true }
}
