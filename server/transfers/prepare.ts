import { pendingNonce } from '@quorate/chains/evm/index'
import { isFailure } from '@quorate/core/failure'
import { equalBytes, toHex } from '@quorate/core/bytes'
import type { Database } from '../database/database.ts'
import type { Effect } from '@quorate/effects/effect'
import { encodeFacts, noFacts, type Facts } from '@quorate/effects/facts'
import { isReplacement, type ReplacementIntent } from '@quorate/effects/replacement'
import { askOf, planned } from '../chain/ask.ts'
import { dataFeeOf, observeWithin } from '../chain/facts.ts'
import { isAgreedOn } from '../chain/slots.ts'
import { standBackMs } from './line.ts'
import { expire, isExpired, refuse, type Outcome, type StepDeps } from './outcome.ts'
import { feeBoundOf, intentOf, payerOf } from './reading.ts'
import { observeReplacement } from './replacement-facts.ts'
import type { Outgoing } from './tables.ts'
import { tokenLack } from './token-funds.ts'

/** One odd answer of a node ends nothing; the same one three times does. */
export const refusalsMax = 3

/**
 * Asks the chain for what the payload leaves open and writes it down, before any signer is asked:
 * whatever happens afterwards, one request is one transaction.
 */
export async function prepare(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  if (isExpired(row, deps.now)) return expire(row, deps.now)
  // At once: while one of a wallet is here, all others wait, and each answer of a node takes its time.
  const [isGone, lack, found, balance] = await Promise.all([
    !row.names_slot && isSlotGone(deps, row),
    tokenLack(deps, row),
    findFacts(deps, row),
    deps.chain.adapter.balance(deps.chain.rpc, row.address),
  ])
  if (isGone) return loseSlot
  if (lack.kind === 'short') return insufficient(lack.needed, lack.available, ` of ${lack.asset}`)
  if (lack.kind === 'promised') return standBack('what is under way may need all there is')
  if ('kind' in found) return found
  const effect = planned(payerOf(row, deps.chain.traits), intentOf(row), found)
  checkAgainst(deps, row, { facts: found, effect })
  const { unsigned } = effect
  const besides = unsigned === undefined ? 0n : await dataFeeOf(deps.chain, unsigned)
  const needed = effect.value + effect.feeMax + besides
  const short = await missingFunds(deps, row, { needed, balance })
  if (short !== undefined) return short
  const cost = needed.toString()
  const facts = encodeFacts({ ...found, ...(await deps.opine(effect.outflow)) })
  return { kind: 'move', event: 'prepare', values: { facts, cost } }
}

/**
 * Two libraries that know nothing of each other build the same bytes; else nothing is written down,
 * let alone signed.
 */
function checkAgainst(
  { chain: { adapter, network, traits } }: StepDeps,
  row: Outgoing,
  { facts, effect }: { readonly facts: Facts; readonly effect: Effect },
): void {
  const intent = intentOf(row)
  const ask = askOf(intent, payerOf(row, traits))
  // Of bytes that were given whole, there is no second way to build them.
  const isWhole = isReplacement(intent) && isWholeOriginal(intent)
  if (ask === undefined || facts.family !== 'evm' || isWhole) return
  const { bytes } = adapter.build(network, ask, facts)
  if (effect.unsigned === undefined || !equalBytes(bytes, effect.unsigned))
    throw new TypeError('two ways to build a transaction differ')
}

function isWholeOriginal(intent: ReplacementIntent): boolean {
  const original = intent.kind === 'speedUp' ? intent.original : undefined
  return original?.kind === 'transaction' && original.transaction.form === 'bytes'
}

/** Facts that are written stay: they say that signers may have been asked to agree on it (`unlessProposed`). */
export const loseSlot = {
  ...{ kind: 'move', event: 'loseSlot' },
  values: { slot: null, cost: null },
  freesSlot: true,
} as const satisfies Outcome

/** What may take long does not keep others of the same wallet from going ahead. */
export function standBack(why: string): Outcome {
  return { ...loseSlot, later: { why, ms: standBackMs } }
}

/** Used by somebody else while nobody had signed for it: then there is still another one to have. */
export async function isSlotGone({ database, chain }: StepDeps, row: Outgoing): Promise<boolean> {
  const slot = row.slot ?? 0
  const pending = await pendingNonce(chain.rpc, row.address)
  return pending > BigInt(slot) || isAgreedOn(database, row, slot)
}

async function findFacts(deps: StepDeps, row: Outgoing): Promise<Facts | Outcome> {
  const { chain } = deps
  const ask = askOf(intentOf(row), payerOf(row, chain.traits))
  if (ask === undefined) return noFacts
  try {
    if (row.replacement !== null) return await outbidding(deps, row)
    const nonce = BigInt(row.slot ?? 0)
    const observed = await observeWithin(chain, { ...ask, nonce }, feeBoundOf(row, chain.traits))
    if (observed.ok) return observed.facts
    if (observed.named) return refuse('the fees it names are above what was signed for')
    return standBack('fees are above what was signed for')
  } catch (error) {
    if (!isFailure(error, 'chain.refused')) throw error
    const balance = await chain.adapter.balance(chain.rpc, row.address)
    if (balance < ask.value) return insufficient(ask.value, balance)
    if (row.attempts + 1 >= refusalsMax) return refuse(error.context.reason)
    return { kind: 'wait', why: error.context.reason }
  }
}

/** Somebody has signed for it to be outbid, and for no more than that. */
async function outbidding(deps: StepDeps, row: Outgoing): Promise<Facts | Outcome> {
  const observed = await observeReplacement(deps, row, feeBoundOf(row, deps.chain.traits))
  if (observed.ok) return observed.facts
  return refuse('what it takes to replace it is above what was signed for')
}

/**
 * What is under way already takes its part first. But some of it may have been carried out just now,
 * so that alone is a reason to wait and not one to fail.
 */
async function missingFunds(
  { database }: StepDeps,
  row: Outgoing,
  { needed, balance }: { readonly needed: bigint; readonly balance: bigint },
): Promise<Outcome | undefined> {
  if (balance < needed) return insufficient(needed, balance)
  const promised = await promisedOf(database, row)
  if (balance - promised >= needed) return undefined
  return standBack('what is under way may need all there is')
}

/** What others under way may take from the same address; those at the same slot never do. */
export async function promisedOf(database: Database, row: Outgoing): Promise<bigint> {
  const ahead = await database
    .selectFrom('outgoing')
    .select(['id', 'cost', 'slot'])
    .where('network', '=', row.network)
    .where('address', '=', row.address)
    .where('state', 'in', ['prepared', 'signed', 'broadcasted'])
    .execute()
  const others = ahead.filter(({ id, slot }) => !equalBytes(id, row.id) && !isSameSlot(slot, row))
  // Of those at one slot, the chain carries out one.
  const dearest = new Map<number | string, bigint>()
  for (const { id, slot, cost } of others) {
    const place = slot ?? toHex(id)
    const [most, one] = [dearest.get(place) ?? 0n, BigInt(cost ?? 0)]
    dearest.set(place, one > most ? one : most)
  }
  return [...dearest.values()].reduce((sum, cost) => sum + cost, 0n)
}

function isSameSlot(slot: number | null, row: Outgoing): boolean {
  return slot !== null && slot === row.slot
}

export function insufficient(needed: bigint, available: bigint, asset = ''): Outcome {
  return refuse(`insufficient funds: ${needed}${asset} needed, ${available} available`)
}
