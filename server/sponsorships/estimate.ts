import type { AccountOperation } from '@quorate/chains/evm/account/account'
import { isFailure } from '@quorate/core/failure'
import { estimate, feeMaxOf } from '../chain/facts.ts'
import type { Chain } from '../chain/chains.ts'

/**
 * What the contract needs around its operations: signature, nonce, event, calls. With the margin that
 * every estimate has, the gas limit of a payment was 85,000 where it takes 21,000 by itself, 116,000
 * to an account that nobody had used, and 57,000 more where the payer is made to run the contract. These are
 * for a bound to sign, and to look at funds by; what it really takes, the chain says once there is
 * something to try out.
 */
const aroundGas = 100_000n
const delegationGas = 60_000n
/** Of one among several, which may rest on those before it: two token transfers, or a plain swap. */
const unknownGas = 250_000n

/**
 * What it may cost to have all of these carried out.
 * @throws Failure `chain.refused` where a single operation could not be, as things stand
 */
export async function estimateFee(
  chain: Chain,
  operations: readonly AccountOperation[],
  account: { readonly from: string; readonly isDelegated: boolean },
): Promise<bigint> {
  const { from, isDelegated } = account
  const facts = await Promise.all(
    operations.map((operation) => factsOf(chain, from, operation, operations.length === 1)),
  )
  const gas = facts.reduce((sum, { gasLimit }) => sum + gasLimit, aroundGas)
  const maxFeePerGas = facts.reduce(
    (most, one) => (one.maxFeePerGas > most ? one.maxFeePerGas : most),
    0n,
  )
  const gasLimit = isDelegated ? gas : gas + delegationGas
  return feeMaxOf({ family: 'evm', nonce: 0n, gasLimit, maxFeePerGas, maxPriorityFeePerGas: 0n })
}

async function factsOf(chain: Chain, from: string, operation: AccountOperation, isAlone: boolean) {
  const ask = { type: 2, from, priority: 'Standard', ...operation } as const
  try {
    return await estimate(chain, ask)
  } catch (error) {
    if (isAlone || !isFailure(error, 'chain.refused')) throw error
    return estimate(chain, { ...ask, gasLimit: unknownGas })
  }
}
