import { equalBytes } from '@quorate/core/bytes'
import { decodeFacts, type EvmFacts } from '@quorate/effects/facts'
import type { EvmNetwork } from '@quorate/effects/networks'
import { decodeUnsigned } from '@quorate/effects/evm/transaction'
import { askOf } from '../chain/ask.ts'
import type { Chain } from '../chain/chains.ts'
import { feeMaxOf } from '../chain/facts.ts'
import type { Database } from '../database/database.ts'
import { effectOf, intentOf, writtenFacts } from './reading.ts'
import type { Outgoing } from './tables.ts'

/** A node takes another transaction at a nonce for a tenth more of both fees (geth, `PriceBump`). */
const bumpedPercent = 110n

/** What a transaction offers; one of type 0 or 1 gives all of it to whoever makes the block. */
type Offer = { readonly fee: bigint; readonly tip: bigint; readonly gasLimit: bigint }

export type Replacing = Pick<
  Outgoing,
  'network' | 'address' | 'replacement' | 'replaces' | 'replaces_slot' | 'original'
> &
  Parameters<typeof intentOf>[0]

/**
 * The facts for what is to take another one's place: a tenth more than the dearest that waits there,
 * and as much as it takes to be among the next. Where only the latter is too much, the former does.
 *
 * @param feeBound nothing where the bound is what is looked for
 * @returns a fee that even the least costs, where that is above the bound
 * @throws Failure `chain.unavailable`, `chain.refused`
 */
export async function observeReplacement(
  { database, chain }: { readonly database: Database; readonly chain: Chain },
  row: Replacing,
  feeBound?: bigint,
): Promise<Outbidding> {
  const ask = askOf(intentOf(row), { network: chain.traits, address: row.address })
  if (ask === undefined || row.replaces_slot === null)
    throw new TypeError('a replacement leaves its fees open and has its slot')
  const place = { ...row, slot: row.replaces_slot }
  const waiting = await signedAt(database, place)
  const replaced = waiting.find(({ id }) => row.replaces !== null && equalBytes(id, row.replaces))
  const gasLimit =
    row.replacement === 'speedUp' && replaced !== undefined
      ? offerOf(replaced, chain.traits).gasLimit
      : undefined
  const asked = { ...ask, nonce: BigInt(row.replaces_slot), ...(gasLimit && { gasLimit }) }
  const usual = await chain.adapter.observe(chain.rpc, asked)
  const outbid = outbidding(waiting, chain, usual, feeBound)
  const original = row.original === null ? {} : { original: row.original }
  return outbid.ok ? { ok: true, facts: { ...outbid.facts, ...original } } : outbid
}

export type Outbidding =
  | { readonly ok: true; readonly facts: EvmFacts }
  | { readonly ok: false; readonly fee: bigint }

/** What is usual, for as much as it takes to come before all that waits at the slot. */
export function outbidding(
  waiting: readonly Outgoing[],
  { traits }: Pick<Chain, 'traits'>,
  usual: EvmFacts,
  feeBound?: bigint,
): Outbidding {
  const least = leastOf(waiting.map((one) => offerOf(one, traits)))
  const facts = offering(usual, raised(least, presentOf(usual)))
  const bounded = offering(usual, least)
  if (feeBound === undefined || feeMaxOf(facts) <= feeBound) return { ok: true, facts }
  const fee = feeMaxOf(bounded)
  const isEnough = waiting.length > 0 && fee <= feeBound
  return isEnough ? { ok: true, facts: bounded } : { ok: false, fee }
}

/** Whatever anybody may have the bytes of. */
export function signedAt(
  database: Database,
  { network, address, slot }: Pick<Outgoing, 'network' | 'address' | 'slot'>,
): Promise<readonly Outgoing[]> {
  return database
    .selectFrom('outgoing')
    .selectAll()
    .where('network', '=', network)
    .where('address', '=', address)
    .where('slot', '=', slot)
    .where('signed', 'is not', null)
    .execute()
}

function offerOf(row: Outgoing, traits: EvmNetwork): Offer {
  // What is sent for somebody else's request is rebuilt from that; what it offers stands in its facts.
  const facts = row.kind === 'sponsorship' ? decodeFacts(writtenFacts(row)) : undefined
  if (facts?.family === 'sponsorship' || facts?.family === 'evm') {
    const { maxFeePerGas: fee, maxPriorityFeePerGas: tip, gasLimit } = facts
    return { fee, tip, gasLimit }
  }
  const { unsigned } = effectOf(row, traits)
  if (unsigned === undefined) throw new TypeError('a transaction has its bytes')
  const tx = decodeUnsigned(unsigned)
  const { gasLimit } = tx
  return 'gasPrice' in tx
    ? { fee: tx.gasPrice, tip: tx.gasPrice, gasLimit }
    : { fee: tx.maxFeePerGas, tip: tx.maxPriorityFeePerGas, gasLimit }
}

type Price = Omit<Offer, 'gasLimit'>

/** What outbids each of them. */
function leastOf(offers: readonly Offer[]): Price {
  const bumped = (price: bigint) => (price * bumpedPercent + 99n) / 100n
  const most = offers.reduce<Price>(raised, { fee: 0n, tip: 0n })
  return { fee: bumped(most.fee), tip: bumped(most.tip) }
}

function raised(a: Price, b: Price): Price {
  const tip = a.tip > b.tip ? a.tip : b.tip
  const fee = a.fee > b.fee ? a.fee : b.fee
  return { tip, fee: fee > tip ? fee : tip }
}

function presentOf({ gasPrice, maxFeePerGas, maxPriorityFeePerGas }: EvmFacts): Price {
  return gasPrice === undefined
    ? { fee: maxFeePerGas, tip: maxPriorityFeePerGas }
    : { fee: gasPrice, tip: gasPrice }
}

function offering(facts: EvmFacts, { fee, tip }: Price): EvmFacts {
  if (facts.gasPrice !== undefined) return { ...facts, gasPrice: fee }
  return { ...facts, maxFeePerGas: fee, maxPriorityFeePerGas: tip }
}
