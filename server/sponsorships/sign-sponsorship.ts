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
import { sponsorshipEffect } from './terms.ts'

/**
 * Has the sponsor's key sign around what the account has signed. Each of its signers sees both, and
 * what the sponsor has paid already; what they refuse today they may not tomorrow.
 */
export async function signSponsorship(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  if (isExpired(row, deps.now) && !(await isAgreed(deps, row))) return expire(row, deps.now)
  const { organization, key } = row
  const [asked, sponsor] = await Promise.all([
    sponsoredOf(deps.database, row),
    sponsorOfRow(deps, row),
  ])
  const facts = writtenFacts(row)
  const evidence = { ...evidenceOf(asked), facts }
  try {
    const signed = await deps.coordinator.sign({ organization, key, kind: 'sponsor', evidence })
    const effect = sponsorshipEffect(deps.chain, asked, sponsor, decodeFacts(facts))
    const { bytes, hash } = assembled(deps, { effect, publicKey: row.public_key }, signed)
    return { kind: 'move', event: 'sign', values: { signed: bytes, hash } }
  } catch (error) {
    if (isFailure(error, 'policy.blocked')) return blocked(error.context.reason)
    if (isFailure(error, 'request.refused')) return refused(deps, row, error.context.reason)
    const wait = waitForSigners(error)
    if (wait !== undefined) return wait
    throw error
  }
}

/** As documented: what blocks the sponsor's wallet fails what it was to pay for. */
function blocked(reason: string): Outcome {
  const values = { slot: null, facts: null, cost: null, reason: `blocked by policy: ${reason}` }
  return { kind: 'move', event: 'reject', values, freesSlot: true }
}

async function refused(deps: StepDeps, row: Outgoing, reason: string): Promise<Outcome> {
  if (await isAgreed(deps, row)) return { kind: 'move', event: 'refuse', values: { reason } }
  const isOthers = await isAgreedOn(deps.database, row, row.slot ?? 0)
  return isOthers ? loseSlot : standBack(`the signers refused: ${reason}`)
}
