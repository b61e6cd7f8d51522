import { dataFee, type EvmAsk, type EvmFacts } from '@quorate/chains/evm/index'
import { decodeUnsigned } from '@quorate/effects/evm/transaction'
import { isFailure } from '@quorate/core/failure'
import type { Rpc } from '@quorate/chains/adapter'
import { readQuantity } from '@quorate/chains/evm/answer'
import type { Chain } from './chains.ts'

/** A payment to an account without code: what is left to assume when the node cannot say. */
const gasOfPayment = 21_000n

export type Observed =
  | { readonly ok: true; readonly facts: EvmFacts }
  /** `named`: the payload itself fixes what it would cost, so waiting changes nothing. */
  | { readonly ok: false; readonly named: boolean; readonly fee: bigint }

/**
 * What the chain has to fill in, such that fees stay within `feeBound`. When the usual offer does
 * not, the most patient one may: better late than not at all.
 *
 * @param ask with its nonce: slots are given out elsewhere
 * @throws Failure `chain.unavailable`, `chain.refused`
 */
export async function observeWithin(
  { adapter, rpc }: Chain,
  ask: EvmAsk & { readonly nonce: bigint },
  feeBound: bigint,
): Promise<Observed> {
  const usual = await adapter.observe(rpc, ask)
  if (feeMaxOf(usual) <= feeBound) return { ok: true, facts: usual }
  const named = ask.gasPrice !== undefined || ask.maxFeePerGas !== undefined
  if (named) return { ok: false, named, fee: feeMaxOf(usual) }
  const gasLimit = usual.gasLimit
  const patient = await adapter.observe(rpc, { ...ask, gasLimit, priority: 'Slow' })
  const fee = feeMaxOf(patient)
  return fee <= feeBound ? { ok: true, facts: patient } : { ok: false, named, fee }
}

/** As things stand now, for a quote: nothing is given out, and a poor sender is no obstacle. */
export async function estimate({ adapter, rpc }: Chain, ask: EvmAsk): Promise<EvmFacts> {
  try {
    return await adapter.observe(rpc, { ...ask, nonce: 0n })
  } catch (error) {
    // The node tries it out with the sender's balance, which may be filled up by the time it runs.
    const isPayment = ask.data.length === 0 && ask.to !== undefined && ask.gasLimit === undefined
    if (!isPayment || !isFailure(error, 'chain.refused')) throw error
    return adapter.observe(rpc, { ...ask, nonce: 0n, gasLimit: gasOfPayment })
  }
}

/**
 * What it has to be able to pay besides its gas, as of now, with a margin.
 * @throws Failure `chain.unavailable`, `chain.refused`
 */
export async function dataFeeOf(
  { rpc, network }: Pick<Chain, 'rpc' | 'network'>,
  unsigned: Uint8Array,
): Promise<bigint> {
  return dataFee(rpc, network, { unsigned, gasLimit: decodeUnsigned(unsigned).gasLimit })
}

export function feeMaxOf(facts: EvmFacts): bigint {
  return facts.gasLimit * (facts.gasPrice ?? facts.maxFeePerGas)
}

/** The next nonce by blocks alone: what waits in a pool can still be replaced. */
export async function minedNonce(rpc: Rpc, address: string): Promise<bigint> {
  return readQuantity(await rpc('eth_getTransactionCount', [address, 'latest']))
}
