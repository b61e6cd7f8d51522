import { isFailure } from '@quorate/core/failure'
import { decodeFacts } from '@quorate/effects/facts'
import { isAgreedOn } from '../chain/slots.ts'
import {
  expire,
  isExpired,
  waitForSigners,
  type Outcome,
  type StepDeps,
} from '../transfers/outcome.ts'
import { loseSlot, standBack } from '../transfers/prepare.ts'
import { evidenceOf, writtenFacts } from '../transfers/reading.ts'
import { assembled, isAgreed } from '../transfers/sign.ts'
import type { Outgoing } from '../transfers/tables.ts'
import { sponsorOfRow } from './facts.ts'
import { sponsoredOf } from './find.ts'
import { isFill } from './outbid.ts'
import { fillEffect, sponsorshipEffect } from './terms.ts'

/** What signers refuse today they may not tomorrow, and the fees are others by then. */
const againMs = 5_000

/**
 * Has the sponsor's key sign around what the account has signed. Each of its signers sees both, and
 * what the sponsor has paid already; what they refuse today they may not tomorrow.
 */
export async function signSponsorship(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  const [fills, isFirst] = [isFill(row), row.bid === 0]
  if (!fills && isExpired(row, deps.now) && !(await isAgreed(deps, row)))
    return isFirst ? expire(row, deps.now) : again('its time is over')
  const { organization, key, bid } = row
  const [asked, sponsor] = await Promise.all([
    sponsoredOf(deps.database, row),
    sponsorOfRow(deps, row),
  ])
  const encoded = writtenFacts(row)
  const evidence = { ...evidenceOf(asked), facts: encoded }
  try {
    const signed = await deps.coordinator.sign({
      ...{ organization, key, kind: 'sponsor', bid, evidence },
    })
    const effectOf = fills ? fillEffect : sponsorshipEffect
    const effect = effectOf(deps.chain, asked, sponsor, decodeFacts(encoded))
    const { bytes, hash } = assembled(deps, { effect, publicKey: row.public_key }, signed)
    return { kind: 'move', event: 'sign', values: { signed: bytes, hash } }
  } catch (error) {
    if (isFailure(error, 'policy.blocked')) {
      const why = `blocked by policy: ${error.context.reason}`
      return isFirst ? blocked(why) : again(why)
    }
    if (isFailure(error, 'request.refused')) return refused(deps, row, error.context.reason)
    const wait = waitForSigners(error)
    if (wait !== undefined) return wait
    throw error
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

async function refused(deps: StepDeps, row: Outgoing, reason: string): Promise<Outcome> {
  const why = `the signers refused: ${reason}`
  // Nothing comes after what fills the slot, and the signers sign it as soon as they may again.
  if (await isAgreed(deps, row))
    return isFill(row)
      ? { kind: 'wait', why, ms: againMs }
      : { kind: 'move', event: 'refuse', values: { reason } }
  if (row.bid > 0) return again(why)
  const isOthers = await isAgreedOn(deps.database, row, row.slot ?? 0)
  return isOthers ? loseSlot : standBack(why)
}
