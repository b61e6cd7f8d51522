import type { Network } from '../adapter.ts'

/** A platform whose local node stands for Sepolia lowers `confirmationsFinal` by its settings. */
export const ethereumSepolia = {
  id: 'EthereumSepolia',
  name: 'Ethereum Sepolia',
  family: 'evm',
  chainId: 11155111,
  testnet: true,
  nativeAsset: { symbol: 'ETH', decimals: 18 },
  confirmationsFinal: 12,
} as const satisfies Network
