import { findHeader } from '@quorate/chains/evm/blocks'
import { tokenHolding, type TokenMove } from '@quorate/chains/evm/index'
import { Failure } from '@quorate/core/failure'
import type { Chain } from '../chain/chains.ts'
import type { Candidate } from './candidates.ts'

/** Questions to a node at one time, so that one answer of ours does not keep it from all others. */
const askedAtOnce = 16

/** @returns the hash of the newest block: everything that one answer tells is read at it */
export async function newestHash({ rpc, network }: Chain): Promise<string> {
  const header = await findHeader(rpc, 'latest')
  if (header === undefined) throw new Failure('chain.unavailable', { network: network.id })
  return header.hash
}

/**
 * How much there is of each, by the contracts' word; what there is none of is left out.
 * @throws Failure `chain.unavailable`, `chain.refused` where a node does not say of one of them
 */
export async function holdingsOf<C extends Candidate>(
  { rpc }: Chain,
  { address, blockHash }: { readonly address: string; readonly blockHash: string },
  candidates: readonly C[],
): Promise<readonly (C & { readonly balance: bigint })[]> {
  const holdings: (C & { readonly balance: bigint })[] = []
  for (let i = 0; i < candidates.length; i += askedAtOnce) {
    const asked = candidates.slice(i, i + askedAtOnce).map(async (candidate) => {
      const balance = await tokenHolding(rpc, address, moveOf(address, candidate), blockHash)
      return { ...candidate, balance }
    })
    holdings.push(...(await Promise.all(asked)).filter(({ balance }) => balance > 0n))
  }
  return holdings
}

/** The question is about what could be moved; where to says nothing. */
export function moveOf(to: string, { kind, contract, token_id }: Candidate): TokenMove {
  if (kind === 'Erc20') return { kind, contract, to, amount: 0n }
  const tokenId = BigInt(token_id)
  return kind === 'Erc721'
    ? { kind, contract, to, tokenId }
    : { kind, contract, to, tokenId, amount: 0n }
}
