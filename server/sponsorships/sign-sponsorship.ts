import { isFailure } from '@quorate/core/failure'
import { decodeFacts } from '@quorate/effects/facts'
import { holderOf } from '../chain/slots.ts'
import { asAgreed, signedAs, unlessAgreed, unlessInTime } from '../transfers/agreed.ts'
import { unlessMissing, type Outcome, type StepDeps } from '../transfers/outcome.ts'
import { standBack } from '../transfers/prepare.ts'
import { evidenceOf, writtenFacts } from '../transfers/reading.ts'
import { assembled } from '../transfers/sign.ts'
import type { Outgoing } from '../transfers/tables.ts'
import { sponsorOfRow } from './facts.ts'
import { sponsoredOf } from './find.ts'
import { leaveSlot } from './heal.ts'
import { isFill } from './outbid.ts'
import { fillEffect, sponsorshipEffect } from './terms.ts'

/** What signers refuse today they may not tomorrow, and the fees are others by then. */
const againMs = 5_000

/**
 * Has the sponsor's key sign around what the account has signed. Each of its signers sees both, and
 * what the sponsor has paid already; what they refuse today they may not tomorrow.
 */
export async function signSponsorship(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  return unlessMissing(async () => {
    const over = isFill(row) ? undefined : await unlessInTime(deps, row)
    if (over?.kind === 'move' && row.bid > 0) return again('its time is over')
    return over ?? signed(deps, row)
  })
}

async function signed(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  const { organization, key, bid } = row
  const [asked, sponsor] = await Promise.all([
    sponsoredOf(deps.database, row),
    sponsorOfRow(deps, row),
  ])
  const evidence = { ...evidenceOf(asked), facts: writtenFacts(row) }
  try {
    const signed = await deps.coordinator.sign({
      ...{ organization, key, kind: 'sponsor', bid, evidence, isWanted: deps.isHeld },
    })
    const agreed = asAgreed(row, signed)
    const effectOf = isFill(agreed) ? fillEffect : sponsorshipEffect
    const effect = effectOf(deps.chain, asked, sponsor, decodeFacts(signed.facts))
    const made = assembled(deps, { effect, publicKey: row.public_key }, signed)
    return { kind: 'move', ...signedAs(row, agreed, { ...made, cost: effect.feeMax }) }
  } catch (error) {
    if (isFailure(error, 'policy.blocked')) {
      const why = `blocked by policy: ${error.context.reason}`
      return ended(deps, row, { reason: why, why, end: async () => blocked(why) })
    }
    if (!isFailure(error, 'request.refused')) throw error
    const { reason } = error.context
    const why = `the signers refused: ${reason}`
    return ended(deps, row, { reason, why, end: () => refused(deps, row, why) })
  }
}

/** As documented: what blocks the sponsor's wallet fails what it was to pay for. */
function blocked(reason: string): Outcome {
  const values = { slot: null, facts: null, cost: null, reason }
  return { kind: 'move', event: 'reject', values, freesSlot: true }
}

/** The slot is its own still, whatever it offers next. */
function again(why: string): Outcome {
  const values = { facts: null, cost: null }
  return { kind: 'move', event: 'again', values, later: { why, ms: againMs } }
}

type End = {
  readonly reason: string
  /** The same for whoever sees it wait. */
  readonly why: string
  /** What becomes of one that outbids no other, if the signers have not agreed on it. */
  readonly end: () => Promise<Outcome>
}

function ended(deps: StepDeps, row: Outgoing, { reason, why, end }: End): Promise<Outcome> {
  // Nothing comes after what fills the slot, and the signers sign it as soon as they may again.
  const kept: Outcome = isFill(row)
    ? { kind: 'wait', why, ms: againMs }
    : { kind: 'move', event: 'refuse', values: { reason } }
  return unlessAgreed(deps, row, { reason: why, kept, end: row.bid > 0 ? () => again(why) : end })
}

async function refused(deps: StepDeps, row: Outgoing, why: string): Promise<Outcome> {
  const slot = row.slot ?? 0
  const holder = await holderOf(deps.database, row, slot)
  // Since it was looked for: then nothing was refused.
  if (holder === 'itself') return { kind: 'wait', why, ms: 0 }
  return holder === 'another' ? leaveSlot(deps, row, slot) : standBack(why)
}
