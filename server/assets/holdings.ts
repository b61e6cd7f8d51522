import { findHeader } from '@quorate/chains/evm/blocks'
import { tokenHolding, type TokenMove } from '@quorate/chains/evm/index'
import { inPieces } from '@quorate/chains/evm/pieces'
import { Failure, isFailure } from '@quorate/core/failure'
import type { Chain } from '../chain/chains.ts'
import type { Candidate } from './candidates.ts'

/** @returns the hash of the newest block: everything that one answer tells is read at it */
export async function newestHash({ rpc, network }: Chain): Promise<string> {
  const header = await findHeader(rpc, 'latest')
  if (header === undefined) throw new Failure('chain.unavailable', { network: network.id })
  return header.hash
}

/** Whose, and at which block. */
export type Holder = {
  readonly address: string
  readonly blockHash: string
  /** Contracts that the operator vouches for. */
  readonly listed: ReadonlySet<string>
}

/**
 * How much there is of each, by the contracts' word; what there is none of is left out, and a stranger's
 * contract of which nothing is known.
 * @throws Failure `chain.unavailable`, `chain.refused` where a node does not say of one that is listed
 */
export async function holdingsOf<C extends Candidate>(
  chain: Chain,
  holder: Holder,
  candidates: readonly C[],
): Promise<readonly (C & { readonly balance: bigint })[]> {
  const holdings = await inPieces(candidates, async (candidate) => {
    const { address, blockHash } = holder
    const asked = tokenHolding(chain.rpc, address, moveOf(address, candidate), blockHash)
    const balance = await unlessDisputed(chain, { ...holder, contract: candidate.contract }, asked)
    return { ...candidate, balance: balance ?? 0n }
  })
  return holdings.filter(({ balance }) => balance > 0n)
}

/**
 * A contract may answer each node otherwise, or so that a node refuses: nobody who sends a wallet such a
 * token keeps it from being shown all else.
 * @returns nothing then
 * @throws Failure `chain.unavailable`, `chain.refused` where it is listed, or the node is away
 */
export async function unlessDisputed<T>(
  { adapter, rpc }: Chain,
  { address, blockHash, listed, contract }: Holder & { readonly contract: string },
  asked: Promise<T>,
): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    const isNodes = isFailure(error, 'chain.unavailable') || isFailure(error, 'chain.refused')
    if (!isNodes || listed.has(contract)) throw error
    // No contract has a say in this: where it is not answered either, it is the node.
    await adapter.balance(rpc, address, blockHash)
    return undefined
  }
}

/** The question is about what could be moved; where to says nothing. */
export function moveOf(to: string, { kind, contract, token_id }: Candidate): TokenMove {
  if (kind === 'Erc20') return { kind, contract, to, amount: 0n }
  const tokenId = BigInt(token_id)
  return kind === 'Erc721'
    ? { kind, contract, to, tokenId }
    : { kind, contract, to, tokenId, amount: 0n }
}
