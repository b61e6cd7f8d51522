import type { Network } from '@quorate/chains/adapter'
import type { OwnNetwork } from '@quorate/effects/networks'
import type { NetworkNodes } from './nodes-file.ts'

/** As many as one has to wait for where nobody has said it: no node, so nothing that settles. */
const confirmationsUnsaid = 100

/**
 * What the server knows of a network of the operators' own. Where its entry in the file of nodes is gone,
 * what was done there is still shown, in units of its id.
 */
export function networkOfOwn({ id, chainId }: OwnNetwork, words: NetworkNodes = {}): Network {
  const { name = id, symbol = id, confirmations = confirmationsUnsaid } = words
  return {
    ...{ id, name, family: 'evm', chainId, testnet: false },
    nativeAsset: { symbol, decimals: 18 },
    confirmationsFinal: confirmations,
  }
}
