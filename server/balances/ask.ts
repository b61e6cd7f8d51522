import { tokenHolding } from '@quorate/chains/evm/index'
import { isFailure } from '@quorate/core/failure'
import { moveOf } from '../assets/holdings.ts'
import type { Chain } from '../chain/chains.ts'
import type { BalanceKey } from './watch.ts'

/**
 * How much there is of it at a block.
 * @throws Failure `chain.unavailable`, `chain.refused` where the node has forgotten what was there, or does not say
 */
export async function balanceAt(
  { adapter, rpc }: Chain,
  { address, ...key }: Pick<BalanceKey, 'kind' | 'contract' | 'token_id'> & { address: string },
  blockHash: string,
): Promise<bigint> {
  const { kind } = key
  if (kind === 'Native') return adapter.balance(rpc, address, blockHash)
  const held = await tokenHolding(rpc, address, moveOf(address, { ...key, kind }), blockHash)
  // An empty answer is none, and so it may seem where the node has forgotten the block.
  if (held === 0n) await adapter.balance(rpc, address, blockHash)
  return held
}

/** @returns nothing where the node has forgotten */
export async function unlessForgotten<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (isFailure(error, 'chain.refused')) return undefined
    throw error
  }
}
