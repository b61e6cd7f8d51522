import type { Movement } from '@quorate/core/outflow'
import type { EvmNetwork } from '../networks.ts'

/** What names the assets of a network. */
export type AssetNetwork = Pick<EvmNetwork, 'id' | 'nativeContract'>

type Moved = {
  /** In lower case, as `to` is. */
  readonly contract: string
  readonly to: string
  /** In the contract's own unit. */
  readonly amount: bigint
}

/**
 * Units of a coin, as a contract of ERC-20's moves them or lets them be moved. Where that is another way to the
 * network's own coin it is this that leaves, under the one name and in the one unit that limits know it by.
 */
export function coinMovement(network: AssetNetwork, { contract, to, amount }: Moved): Movement {
  const { id, nativeContract } = network
  return nativeContract?.address === contract
    ? { asset: nativeAsset(network), to, amount: amount * nativeContract.units }
    : { asset: `${id}/Erc20/${contract}`, to, amount }
}

export function nativeAsset({ id }: Pick<AssetNetwork, 'id'>): string {
  return `${id}/Native`
}
