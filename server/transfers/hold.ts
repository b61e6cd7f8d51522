import { pendingNonce } from '@quorate/chains/evm/index'
import { isFailure } from '@quorate/core/failure'
import { keyStream } from '@quorate/authority/stream'
import { encodeFacts, type Facts, noFacts } from '@quorate/effects/facts'
import { decodeEvidence, type Evidence } from '@quorate/authority/step'
import { endOf, graceMs } from '../approvals/ended.ts'
import { approvalFor } from '../approvals/find.ts'
import { openApproval } from '../approvals/open.ts'
import type { ApprovalRow } from '../approvals/tables.ts'
import { askOf, planned } from '../chain/ask.ts'
import { observeWithin } from '../chain/facts.ts'
import { lowestFreeSlot } from '../chain/slots.ts'
import { presentSponsoredFacts } from '../sponsorships/facts.ts'
import {
  expire,
  isExpired,
  unlessMissing,
  waitForSigners,
  type Outcome,
  type StepDeps,
} from './outcome.ts'
import { feeBoundOf, intentOf, payerOf } from './reading.ts'
import { observeReplacement } from './replacement-facts.ts'
import type { Outgoing } from './tables.ts'

/** Whoever resolves an approval wakes what waits for it; this is for when that was not heard. */
const heldMsMax = 15_000
const pass = { kind: 'move', event: 'pass' } as const satisfies Outcome
/** What waits for an approval keeps nothing that another one could need. */
const nothingKept = { slot: null, facts: null, cost: null, delegation_nonce: null } as const

/**
 * Has the rules say what they think of it, on what the chain says now: nothing of that is kept, and
 * no signer is asked. What cannot be judged yet goes on, and is judged by all when it is signed.
 */
export async function askPolicies(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  if (isExpired(row, deps.now)) return expire(row, deps.now)
  const present = await approvalFor(deps.database, row.organization, row.request)
  if (present !== undefined) return held(present)
  const facts = await presentFacts(deps, row)
  if (facts === undefined) return pass
  const evidence = { ...decodeEvidence(row.evidence), facts }
  const { organization, key } = row
  try {
    await deps.coordinator.judge({ organization, key, evidence })
    return pass
  } catch (error) {
    if (isFailure(error, 'policy.held')) return hold(deps, row, evidence)
    if (isFailure(error, 'policy.blocked')) return block(deps, error.context.reason, evidence)
    if (isFailure(error, 'request.refused')) return pass
    throw error
  }
}

/** Asks those who may approve it, and makes it wait for them. */
export async function hold(deps: StepDeps, row: Outgoing, evidence: Evidence): Promise<Outcome> {
  const { database, coordinator: log } = deps
  const { organization, key } = row
  try {
    const ask = { organization, stream: keyStream(key), evidence }
    return held(await openApproval({ database, log }, ask))
  } catch (error) {
    if (isFailure(error, 'policy.blocked')) return block(deps, error.context.reason, evidence)
    // The policies are others by now, or it was agreed on meanwhile: the next look tells.
    if (isFailure(error, 'request.refused')) return { kind: 'wait', why: error.context.reason }
    const wait = waitForSigners(error)
    if (wait !== undefined) return wait
    throw error
  }
}

/** The outcome for one that has an approval, whatever has become of that. */
export function held({ approval_id }: ApprovalRow): Outcome {
  const values = { ...nothingKept, approval_id }
  return { kind: 'move', event: 'hold', values, freesSlot: true }
}

export function block({ now }: Pick<StepDeps, 'now'>, why: string, judged: Evidence): Outcome {
  return { ...reject(`blocked by policy: ${why}`, now), judged }
}

function reject(reason: string, policy_resolved_at: number) {
  const values = { ...nothingKept, reason, policy_resolved_at }
  return { kind: 'move', event: 'reject', values, freesSlot: true } as const
}

/** What has become of the approval, in the log's own words. */
export function awaitApproval(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  const { database, coordinator: log, now } = deps
  return unlessMissing(async () => {
    const approval = await approvalFor(database, row.organization, row.request)
    if (approval === undefined) throw new TypeError('what is held has its approval')
    const { status, approval: ended } = await endOf({ database, log }, approval, now)
    const { expires_at: expiresAt, resolved_at: resolvedAt } = ended
    switch (status) {
      case 'Approved':
        return { kind: 'move', event: 'release', values: { policy_resolved_at: resolvedAt ?? now } }
      case 'Denied':
        return reject('an approver has denied it', resolvedAt ?? now)
      case 'Expired':
        return reject('nobody has approved it in time', expiresAt)
      case 'Pending':
        return { kind: 'wait', why: null, ms: Math.min(heldMsMax, expiresAt + graceMs - now) }
    }
  })
}

/** @returns nothing where it has to be seen first what the chain says of it */
async function presentFacts(deps: StepDeps, row: Outgoing): Promise<Uint8Array | undefined> {
  if (row.fee_sponsor !== null) return presentSponsoredFacts(deps, row)
  const { chain, database } = deps
  const ask = askOf(intentOf(row), payerOf(row, chain.traits))
  if (ask === undefined) return opined(deps, row, noFacts)
  try {
    if (row.replacement !== null) {
      const observed = await observeReplacement(deps, row, feeBoundOf(row, chain.traits))
      return observed.ok ? await opined(deps, row, observed.facts) : undefined
    }
    const pending = Number(await pendingNonce(chain.rpc, row.address))
    const nonce = ask.nonce ?? (await lowestFreeSlot(database, row, pending))
    if (nonce === undefined) return undefined
    const asked = { ...ask, nonce: BigInt(nonce) }
    const observed = await observeWithin(chain, asked, feeBoundOf(row, chain.traits))
    return observed.ok ? opined(deps, row, observed.facts) : undefined
  } catch (error) {
    if (isFailure(error, 'chain.refused')) return undefined
    throw error
  }
}

async function opined(
  { chain, opine }: StepDeps,
  row: Outgoing,
  facts: Facts,
): Promise<Uint8Array> {
  const { outflow } = planned(payerOf(row, chain.traits), intentOf(row), facts)
  return encodeFacts({ ...facts, ...(await opine(outflow)) })
}
