import { bytesToBig } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { encodeFacts, type SponsoredFacts } from '@quorate/effects/facts'
import type { Chain } from '../chain/chains.ts'
import { dataFeeOf } from '../chain/facts.ts'
import { lockQueue } from '../chain/slots.ts'
import { expire, isExpired, refuse, type Outcome, type StepDeps } from '../transfers/outcome.ts'
import { insufficient, promisedOf, refusalsMax } from '../transfers/prepare.ts'
import { feeBoundOf } from '../transfers/reading.ts'
import type { Outgoing } from '../transfers/tables.ts'
import { tokenLack } from '../transfers/token-funds.ts'
import { overBudget } from './budget.ts'
import { isHeldFrom } from './delegating.ts'
import { estimateFee } from './estimate.ts'
import { accountFacts, sponsorOfRow } from './facts.ts'
import type { Sponsor } from './sponsor.ts'
import { operationsOf, relayAsk, sponsoredEffect, sponsoredIntentOf } from './terms.ts'

/** Some blocks: neither fees nor balances change faster. */
const standBackMs = 5_000

/**
 * Looks at everything that can be known to fail before the account signs: once it has, nobody takes
 * that back. It has no slot: of all that bear its request's hash, the contract does one.
 */
export async function prepareSponsored(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  if (isExpired(row, deps.now)) return expire(row, deps.now)
  const sponsor = await sponsorOfRow(deps, row)
  if (sponsor.record.status !== 'active') return refuse('the fee sponsor is not active')
  const account = await accountFacts(deps, row)
  if (!account.ok) return account.isFinal ? refuse(account.why) : wait(account.why)
  const { facts } = account
  const effect = sponsoredEffect(deps.chain, row, sponsor, facts)
  const lack =
    (await walletLack(deps, row, effect.value)) ?? (await sponsorLack(deps, row, sponsor, facts))
  if (lack !== undefined) return lack
  const { delegationNonce: nonce } = facts
  const delegation_nonce = nonce === undefined ? null : Number(nonce)
  const encoded = encodeFacts({ ...facts, ...(await deps.opine(effect.outflow)) })
  return {
    kind: 'move',
    event: 'prepare',
    values: { facts: encoded, cost: effect.value.toString(), delegation_nonce },
    within: async (transaction) => {
      if (delegation_nonce === null) return {}
      await lockQueue(transaction, row)
      return (await isHeldFrom(transaction, row, delegation_nonce)) ? undefined : {}
    },
  }
}

function wait(why: string): Outcome {
  return { kind: 'wait', why, ms: standBackMs }
}

/** What it is to pay itself, which are no fees. */
async function walletLack(
  deps: StepDeps,
  row: Outgoing,
  value: bigint,
): Promise<Outcome | undefined> {
  const { chain, database } = deps
  const lack = await tokenLack(deps, row)
  if (lack.kind === 'short') return insufficient(lack.needed, lack.available, ` of ${lack.asset}`)
  const underWay = 'what is under way may need all there is'
  if (lack.kind === 'promised') return wait(underWay)
  const balance = await chain.adapter.balance(chain.rpc, row.address)
  if (balance < value) return insufficient(value, balance)
  const isPromised = balance - (await promisedOf(database, row)) < value
  return isPromised && value > 0n ? wait(underWay) : undefined
}

/** Would it pay this, as far as can be told before there is something to try out? */
async function sponsorLack(
  deps: StepDeps,
  row: Outgoing,
  sponsor: Sponsor,
  facts: SponsoredFacts,
): Promise<Outcome | undefined> {
  const { chain } = deps
  const operations = operationsOf(sponsoredIntentOf(row), row.address)
  const isDelegated = facts.delegationNonce === undefined
  try {
    const fee = await estimateFee(chain, operations, { from: row.address, isDelegated })
    const short = await overBudget(deps, row, sponsor, fee)
    if (short !== undefined) return refuse(short)
    if (fee > feeBoundOf(row, chain.traits)) return wait('fees are above what was signed for')
    const needed = fee + (await dataFeeOf(chain, likeSent(chain, row, sponsor, facts)))
    const balance = await chain.adapter.balance(chain.rpc, sponsor.wallet.address)
    return balance < needed ? insufficient(needed, balance, ' of the fee sponsor') : undefined
  } catch (error) {
    if (!isFailure(error, 'chain.refused')) throw error
    const { reason } = error.context
    return row.attempts + 1 >= refusalsMax ? refuse(reason) : { kind: 'wait', why: reason }
  }
}

/** As long as what the sponsor is to send, and as hard to shorten: the account has not signed yet. */
function likeSent(
  chain: Chain,
  row: Outgoing,
  sponsor: Sponsor,
  { delegationNonce: nonce }: SponsoredFacts,
): Uint8Array {
  const word = bytesToBig(row.request)
  const signature = { r: word, s: word >> 1n, yParity: 0 } as const
  const delegation = nonce === undefined ? {} : { delegation: { nonce, signature } }
  const ask = relayAsk(chain, row, sponsor, { inner: signature, ...delegation })
  const price = { maxFeePerGas: gwei, maxPriorityFeePerGas: gwei }
  const facts = { family: 'evm', nonce: 0n, gasLimit: 1_000_000n, ...price } as const
  return chain.adapter.build(chain.network, ask, facts).bytes
}

const gwei = 10n ** 9n
