import { delegationOf } from '@quorate/chains/evm/account/account'
import type { EvmFacts } from '@quorate/chains/evm/index'
import { equalBytes } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { decodeFacts, encodeFacts, type SponsorshipFacts } from '@quorate/effects/facts'
import { minedNonce, observeWithin } from '../chain/facts.ts'
import { expire, isExpired, refuse, type Outcome, type StepDeps } from '../transfers/outcome.ts'
import { isSlotGone, loseSlot, promisedOf, refusalsMax, standBack } from '../transfers/prepare.ts'
import { evidenceOf, feeBoundOf } from '../transfers/reading.ts'
import type { Outgoing } from '../transfers/tables.ts'
import { sponsorOfRow } from './facts.ts'
import { sponsoredOf } from './find.ts'
import type { Sponsor } from './sponsor.ts'
import { accountSignatureOf, relayAsk, sponsorshipEffect, type Signed } from './terms.ts'

/** Whatever a sponsorship is made of. */
type Parts = { readonly sponsor: Sponsor; readonly asked: Outgoing; readonly signed: Signed }

/**
 * Asks the chain what it takes to carry out what the account has signed, and writes that down. Whatever
 * the sponsor lacks may yet come, as long as the time lasts that was signed for.
 */
export async function prepareSponsorship(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  if (isExpired(row, deps.now)) return expire(row, deps.now)
  if (await isSlotGone(deps, row)) return loseSlot
  const sponsor = await sponsorOfRow(deps, row)
  const { status } = sponsor.record
  if (status === 'archived') return refuse('the fee sponsor is archived')
  if (status !== 'active') return standBack('the fee sponsor is not active')
  const asked = await sponsoredOf(deps.database, row)
  const signed = await signedBy(deps, asked)
  if (signed === undefined)
    return refuse('a transaction of the wallet itself came before it could be sponsored')
  const parts = { sponsor, asked, signed }
  const observed = await observe(deps, row, parts)
  return 'kind' in observed ? observed : settle(deps, row, parts, observed)
}

/**
 * What the account has signed: asked for again, it is the same. That it is to run the contract is left
 * out once it does.
 * @returns nothing where it does not, and its nonce is another by now
 */
async function signedBy(deps: StepDeps, asked: Outgoing): Promise<Signed | undefined> {
  const { rpc } = deps.chain
  const { organization, key } = asked
  const given = await deps.coordinator.sign({ organization, key, evidence: evidenceOf(asked) })
  const [first, second] = given.signatures
  const inner = accountSignatureOf(first)
  if ((await delegationOf(rpc, asked.address)) === 'ours') return { inner }
  const facts = decodeFacts(given.facts)
  const nonce = facts.family === 'sponsored' ? facts.delegationNonce : undefined
  if (nonce === undefined || (await minedNonce(rpc, asked.address)) > nonce) return undefined
  return { inner, delegation: { nonce, signature: accountSignatureOf(second) } }
}

async function observe(deps: StepDeps, row: Outgoing, parts: Parts): Promise<EvmFacts | Outcome> {
  const { sponsor, asked, signed } = parts
  const ask = { ...relayAsk(deps.chain, asked, sponsor, signed), nonce: BigInt(row.slot ?? 0) }
  try {
    const observed = await observeWithin(deps.chain, ask, feeBoundFor(deps, parts))
    return observed.ok
      ? observed.facts
      : standBack('fees are above what was signed for, or the sponsor pays')
  } catch (error) {
    if (!isFailure(error, 'chain.refused')) throw error
    const { reason } = error.context
    // Nothing was sent, and nothing will be: what the account has signed is of no use to anybody else.
    return row.attempts + 1 >= refusalsMax ? refuse(reason) : { kind: 'wait', why: reason }
  }
}

function feeBoundFor(
  { chain }: Pick<StepDeps, 'chain'>,
  { asked, sponsor }: Pick<Parts, 'asked' | 'sponsor'>,
): bigint {
  const bound = feeBoundOf(asked, chain.traits)
  const { perOperation = bound } = sponsor.record.limits
  return perOperation < bound ? perOperation : bound
}

async function settle(
  { chain, database }: StepDeps,
  row: Outgoing,
  { sponsor, asked, signed }: Parts,
  observed: EvmFacts,
): Promise<Outcome> {
  const { nonce, gasLimit, maxFeePerGas, maxPriorityFeePerGas } = observed
  const facts: SponsorshipFacts = {
    ...{ family: 'sponsorship', nonce, gasLimit, maxFeePerGas, maxPriorityFeePerGas },
    ...signed,
  }
  const { unsigned, feeMax } = sponsorshipEffect(chain, asked, sponsor, facts)
  const ask = relayAsk(chain, asked, sponsor, signed)
  const { bytes } = chain.adapter.build(chain.network, ask, observed)
  if (unsigned === undefined || !equalBytes(bytes, unsigned))
    throw new TypeError('two ways to build a sponsorship differ')
  const balance = await chain.adapter.balance(chain.rpc, row.address)
  if (balance - (await promisedOf(database, row)) < feeMax)
    return standBack(
      `insufficient funds of the fee sponsor: ${feeMax} needed, ${balance} available`,
    )
  const values = { facts: encodeFacts(facts), cost: feeMax.toString() }
  return { kind: 'move', event: 'prepare', values }
}
