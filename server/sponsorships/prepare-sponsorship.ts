import { delegationOf } from '@quorate/chains/evm/account/account'
import type { EvmAsk, EvmFacts } from '@quorate/chains/evm/index'
import { equalBytes } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import type { Effect } from '@quorate/effects/effect'
import { decodeFacts, encodeFacts, type Facts } from '@quorate/effects/facts'
import { askOf } from '../chain/ask.ts'
import { dataFeeOf, minedNonce, observeWithin, type Observed } from '../chain/facts.ts'
import { isAtRest } from '../transfers/lifecycle.ts'
import { expire, isExpired, refuse, type Outcome, type StepDeps } from '../transfers/outcome.ts'
import { isSlotGone, loseSlot, promisedOf, refusalsMax, standBack } from '../transfers/prepare.ts'
import { evidenceOf, feeBoundOf, payerOf } from '../transfers/reading.ts'
import { outbidding, signedAt } from '../transfers/replacement-facts.ts'
import type { Outgoing } from '../transfers/tables.ts'
import { sponsorOfRow } from './facts.ts'
import { sponsoredOf, sponsorshipsOf } from './find.ts'
import { isKeptOut } from './outbid.ts'
import { isPast } from './past.ts'
import { archivedReason, type Sponsor } from './sponsor.ts'
import {
  accountSignatureOf,
  fillEffect,
  relayAsk,
  sponsorshipEffect,
  type Signed,
} from './terms.ts'

/** Some blocks: neither fees nor balances change faster. */
const waitMs = 5_000

/** Whatever a sponsorship is made of. */
type Parts = { readonly sponsor: Sponsor; readonly asked: Outgoing }
type Asked = EvmAsk & { readonly nonce: bigint }

/**
 * Asks the chain what it takes to carry out what the account has signed, and writes that down. Whatever
 * the sponsor lacks may yet come, as long as the time lasts that was signed for.
 */
export async function prepareSponsorship(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  const asked = await sponsoredOf(deps.database, row)
  const over = row.bid === 0 ? await overForFirst(deps, row) : await overForBid(deps, row, asked)
  if (over !== undefined) return over
  const sponsor = await sponsorOfRow(deps, row)
  const parts = { sponsor, asked }
  const { status } = sponsor.record
  // Of what has failed, the slot alone is paid for: there is one by an earlier bid.
  const hasFailed = row.bid > 0 && status !== 'archived' && isAtRest(asked.state)
  const isOver = isExpired(row, deps.now) || hasFailed
  // What the slot of an earlier bid needs is done whatever has become of the sponsor.
  if (isOver) return prepareFillInTime(deps, row, parts)
  if (status === 'active') return preparePay(deps, row, parts)
  if (status !== 'archived') return later(row, 'the fee sponsor is not active')
  if (row.bid === 0) return refuse(archivedReason)
  if (await isSomethingSent(deps, row)) return later(row, archivedReason)
  return prepareFill(deps, row, parts)
}

/** It may still come, and uses the slot then: whatever is signed besides would only be in its way. */
async function isSomethingSent({ database }: StepDeps, row: Outgoing): Promise<boolean> {
  return (await signedAt(database, row)).length > 0
}

async function overForFirst(deps: StepDeps, row: Outgoing): Promise<Outcome | undefined> {
  if (isExpired(row, deps.now)) return expire(row, deps.now)
  return (await isSlotGone(deps, row)) ? loseSlot : undefined
}

/** One that outbids others has their slot, and ends when the chain has taken one of them. */
async function overForBid(
  { chain }: StepDeps,
  row: Outgoing,
  asked: Outgoing,
): Promise<Outcome | undefined> {
  if ((await minedNonce(chain.rpc, row.address)) <= BigInt(row.slot ?? 0)) return undefined
  const why = 'the chain has taken what it was to outbid'
  return isAtRest(asked.state) ? refuse(why) : { kind: 'wait', why, ms: waitMs }
}

/** One without others stands back, and gives its slot to those behind it. */
function later({ bid }: Outgoing, why: string): Outcome {
  return bid === 0 ? standBack(why) : { kind: 'wait', why, ms: waitMs }
}

async function preparePay(deps: StepDeps, row: Outgoing, parts: Parts): Promise<Outcome> {
  const { sponsor, asked } = parts
  const { lack, ...given } = await signedBy(deps, asked)
  if (lack !== undefined && row.bid === 0) {
    const mayComeBack = lack === 'turned back' && deps.now < row.created_at + comesBackMs
    return mayComeBack
      ? standBack('the block is gone that made the wallet run the contract')
      : refuse('a transaction of the wallet itself came before it could be sponsored')
  }
  const isBarred = given.delegation !== undefined && (await isKeptOutBefore(deps, row, asked))
  const signed = isBarred ? { inner: given.inner } : given
  const whole = { ...relayAsk(deps.chain, asked, sponsor, signed), nonce: BigInt(row.slot ?? 0) }
  const ask = isBarred ? { ...whole, gasLimit: gasToFail(whole) } : whole
  const observed = await observe(deps, row, { ...parts, ask })
  if ('kind' in observed) return observed
  const { nonce, gasLimit, maxFeePerGas, maxPriorityFeePerGas } = observed
  const facts: Facts = {
    ...{ family: 'sponsorship', nonce, gasLimit, maxFeePerGas, maxPriorityFeePerGas },
    ...signed,
  }
  const effect = sponsorshipEffect(deps.chain, asked, sponsor, facts)
  return settle(deps, row, { ask, observed, facts, effect })
}

/** What a reorganization has taken comes again within some blocks, if it does at all: fifteen of Ethereum. */
const comesBackMs = 180_000

/** Then it goes without what keeps those before it out of the pool: it fails, and the slot is used. */
async function isKeptOutBefore(
  { database, now }: StepDeps,
  row: Outgoing,
  asked: Outgoing,
): Promise<boolean> {
  if (row.bid === 0) return false
  return (await sponsorshipsOf(database, asked)).some((bid) => isKeptOut(bid, now))
}

/** Once no block can take any more what it is to outbid. */
async function prepareFillInTime(deps: StepDeps, row: Outgoing, parts: Parts): Promise<Outcome> {
  if (await isPast(deps.chain, row.execute_before)) return prepareFill(deps, row, parts)
  return later(row, 'until no block can take any more what it is to outbid')
}

/** The slot alone is paid for: the account takes nothing any more, or the sponsor pays nothing. */
async function prepareFill(deps: StepDeps, row: Outgoing, parts: Parts): Promise<Outcome> {
  const { chain } = deps
  const { sponsor, asked } = parts
  const made = askOf({ kind: 'cancellation' }, payerOf(row, chain.traits))
  if (made === undefined) throw new TypeError('whatever fills a slot leaves its fees open')
  const ask = { ...made, nonce: BigInt(row.slot ?? 0) }
  const observed = await observe(deps, row, { ...parts, ask })
  if ('kind' in observed) return observed
  const effect = fillEffect(chain, asked, sponsor, observed)
  return settle(deps, row, { ask, observed, facts: observed, effect })
}

/**
 * What the account has signed: asked for again, it is the same. That it is to run the contract is left
 * out once it does; and where it is late, since its nonce is another by now.
 */
async function signedBy(
  deps: StepDeps,
  asked: Outgoing,
): Promise<Signed & { readonly lack?: 'turned back' | 'late' }> {
  const { rpc } = deps.chain
  const { organization, key } = asked
  const given = await deps.coordinator.sign({ organization, key, evidence: evidenceOf(asked) })
  const [first, second] = given.signatures
  const inner = accountSignatureOf(first)
  const runsOurs = async () => (await delegationOf(rpc, asked.address)) === 'ours'
  if (await runsOurs()) return { inner }
  const facts = decodeFacts(given.facts)
  const nonce = facts.family === 'sponsored' ? facts.delegationNonce : undefined
  // It has signed to do without, since it ran the contract then.
  if (nonce === undefined) return { inner, lack: 'turned back' }
  if ((await minedNonce(rpc, asked.address)) <= nonce)
    return { inner, delegation: { nonce, signature: accountSignatureOf(second) } }
  // Between the two answers a block may have come in which another one of its own has had its first time.
  return (await runsOurs()) ? { inner } : { inner, lack: 'late' }
}

async function observe(
  deps: StepDeps,
  row: Outgoing,
  { ask, ...parts }: Parts & { readonly ask: Asked },
): Promise<EvmFacts | Outcome> {
  const bound = feeBoundFor(deps, parts)
  try {
    const observed =
      row.bid === 0
        ? await observeWithin(deps.chain, ask, bound)
        : await observeAbove(deps, row, { ask, bound })
    return observed.ok
      ? observed.facts
      : later(row, 'fees are above what was signed for, or the sponsor pays')
  } catch (error) {
    if (!isFailure(error, 'chain.refused')) throw error
    const { reason } = error.context
    if (row.attempts + 1 < refusalsMax) return { kind: 'wait', why: reason }
    // Nothing was sent, and nothing will be: what the account has signed is of no use to anybody else.
    if (row.bid === 0) return refuse(reason)
    const gasLimit = await gasInVain(deps, row, ask)
    return gasLimit === undefined
      ? { kind: 'wait', why: reason }
      : observe(deps, row, { ...parts, ask: { ...ask, gasLimit } })
  }
}

/** Enough for the contract to look at it and refuse it, whatever its bytes cost (EIP-7623: 40 for each at most). */
function gasToFail({ data }: Asked): bigint {
  return 60_000n + 40n * BigInt(data.length)
}

/**
 * What others wait behind is sent though it would fail, so that its slot is used.
 * @returns nothing where that is no help: what fills the slot does nothing that could fail, and what was sent
 * before may yet succeed
 */
async function gasInVain(deps: StepDeps, row: Outgoing, ask: Asked): Promise<bigint | undefined> {
  const { data, gasLimit } = ask
  if (gasLimit !== undefined || data.length === 0) return undefined
  return (await isSomethingSent(deps, row)) ? undefined : gasToFail(ask)
}

/** A tenth more than the dearest that waits at its slot, and as much as is usual now. */
async function observeAbove(
  { chain, database }: StepDeps,
  row: Outgoing,
  { ask, bound }: { readonly ask: Asked; readonly bound: bigint },
): Promise<Pick<Extract<Observed, { ok: true }>, 'ok' | 'facts'> | { readonly ok: false }> {
  const [usual, waiting] = await Promise.all([
    chain.adapter.observe(chain.rpc, ask),
    signedAt(database, row),
  ])
  return outbidding(waiting, chain, usual, bound)
}

function feeBoundFor({ chain }: Pick<StepDeps, 'chain'>, { asked, sponsor }: Parts): bigint {
  const bound = feeBoundOf(asked, chain.traits)
  const { perOperation = bound } = sponsor.record.limits
  return perOperation < bound ? perOperation : bound
}

type Made = {
  readonly ask: Asked
  readonly observed: EvmFacts
  readonly facts: Facts
  readonly effect: Effect
}

async function settle(
  { chain, database }: StepDeps,
  row: Outgoing,
  { ask, observed, facts, effect }: Made,
): Promise<Outcome> {
  const { unsigned, feeMax } = effect
  const { bytes } = chain.adapter.build(chain.network, ask, observed)
  if (unsigned === undefined || !equalBytes(bytes, unsigned))
    throw new TypeError('two ways to build a sponsorship differ')
  // What limits count is the gas alone: nobody signs a bound on the rest.
  const needed = feeMax + (await dataFeeOf(chain, unsigned))
  const balance = await chain.adapter.balance(chain.rpc, row.address)
  if (balance - (await promisedOf(database, row)) < needed)
    return later(
      row,
      `insufficient funds of the fee sponsor: ${needed} needed, ${balance} available`,
    )
  const values = { facts: encodeFacts(facts), cost: feeMax.toString() }
  return { kind: 'move', event: 'prepare', values }
}
