import type { AccountOperation } from '@quorate/chains/evm/account/account'
import { isFailure } from '@quorate/core/failure'
import { estimate, feeMaxOf } from '../chain/facts.ts'
import type { Chain } from '../chain/chains.ts'

/**
 * What the contract needs around its operations: signature, nonce, event, two calls. Measured: 62,000
 * and 26,000 more where the account becomes one that runs it; rounded up. It is a bound to sign and to
 * look at funds by: what it really takes, the chain says once there is something to try out.
 */
const aroundGas = 90_000n
const delegationGas = 40_000n
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
