import { isFailure } from '@quorate/core/failure'
import { encodeFunctionData, parseAbi, type Hex } from 'viem'
import type { Network, Rpc } from '../adapter.ts'
import { readBytes } from './answer.ts'
import { isOfContract } from './refusals.ts'
import { toHexText } from './transaction.ts'

/** Of the OP Stack, on all its networks at this address ("Predeploys", `GasPriceOracle`). */
const oracle = '0x420000000000000000000000000000000000000F'
const abi = parseAbi([
  // For bytes without a signature, for which it adds some.
  'function getL1Fee(bytes unsigned) view returns (uint256)',
  'function getOperatorFee(uint256 gas) view returns (uint256)',
])
/** It goes with the price of the chain below, which rises by an eighth in each of that chain's blocks at most. */
const marginPercent = 125n

/**
 * What a transaction has to be able to pay besides its gas, for its bytes on the chain below and to the network's
 * operator: no pool takes it without, and no estimate of gas tells of it.
 *
 * @param unsigned whole, as it is to be signed
 * @returns with a margin; 0 where the network takes nothing of the kind
 * @throws Failure `chain.unavailable`, `chain.refused`
 */
export async function dataFee(
  rpc: Rpc,
  { dataFee: kind }: Pick<Network, 'dataFee'>,
  { unsigned, gasLimit }: { readonly unsigned: Uint8Array; readonly gasLimit: bigint },
): Promise<bigint> {
  if (kind === undefined) return 0n
  const bytes = toHexText(unsigned)
  const questions = [
    encodeFunctionData({ abi, functionName: 'getL1Fee', args: [bytes] }),
    encodeFunctionData({ abi, functionName: 'getOperatorFee', args: [gasLimit] }),
  ]
  const fees = await Promise.all(questions.map((data) => ask(rpc, data)))
  return (fees.reduce((sum, fee) => sum + fee, 0n) * marginPercent) / 100n
}

/** Older ones know of no operator, and where a local node stands for the network there is no contract. */
async function ask(rpc: Rpc, data: Hex): Promise<bigint> {
  try {
    const answer = readBytes(await rpc('eth_call', [{ to: oracle, data }, 'latest']))
    return answer.length === 32 ? BigInt(toHexText(answer)) : 0n
  } catch (error) {
    if (isFailure(error, 'chain.refused') && isOfContract(error)) return 0n
    throw error
  }
}
