import type { Network } from '../adapter.ts'

/**
 * Name, chain id, symbol of the native asset, and after how many blocks, its own counted, a
 * transaction is taken as settled. They all count in units of 10^-18.
 */
type Row = readonly [
  name: string,
  chainId: number,
  symbol: string,
  confirmationsFinal: number,
  ...traits: readonly Trait[],
]
/**
 * `op`: of the OP Stack, where a transaction pays for its bytes on the chain below as well.
 * `no-coin`: see `Network.noCoin`.
 */
type Trait = 'no-coin' | 'op' | 'test'

const decimals = 18

/** A network is data: `effects/networks/evm.ts` has the signers' half of it. */
export const evmRows = {
  Adi: ['ADI Chain', 36900, 'ADI', 10],
  AdiTestnetAb: ['ADI Testnet AB', 99999, 'ADI', 10, 'test'],
  ArbitrumGoerli: ['Arbitrum Goerli', 421613, 'ETH', 10, 'test'],
  ArbitrumOne: ['Arbitrum One', 42161, 'ETH', 10],
  ArbitrumSepolia: ['Arbitrum Sepolia', 421614, 'ETH', 10, 'test'],
  Arc: ['Arc', 5042, 'USDC', 10],
  ArcTestnet: ['Arc Testnet', 5042002, 'USDC', 10, 'test'],
  Areum: ['Areum', 463, 'AREA', 5],
  AvalancheC: ['Avalanche C-Chain', 43114, 'AVAX', 10],
  AvalancheCFuji: ['Avalanche C-Chain Fuji', 43113, 'AVAX', 10, 'test'],
  Base: ['Base', 8453, 'ETH', 10, 'op'],
  BaseGoerli: ['Base Goerli', 84531, 'ETH', 10, 'op', 'test'],
  BaseSepolia: ['Base Sepolia', 84532, 'ETH', 10, 'op', 'test'],
  Berachain: ['Berachain', 80094, 'BERA', 5],
  BerachainBArtio: ['Berachain bArtio', 80084, 'BERA', 5, 'test'],
  BerachainBepolia: ['Berachain Bepolia', 80069, 'BERA', 5, 'test'],
  Bob: ['BOB', 60808, 'ETH', 50, 'op'],
  BobSepolia: ['BOB Sepolia', 808813, 'ETH', 50, 'op', 'test'],
  Bsc: ['BNB Smart Chain', 56, 'BNB', 5],
  BscTestnet: ['BNB Smart Chain Testnet', 97, 'BNB', 5, 'test'],
  Celo: ['Celo', 42220, 'CELO', 10, 'op'],
  CeloAlfajores: ['Celo Alfajores', 44787, 'CELO', 10, 'op', 'test'],
  CeloSepolia: ['Celo Sepolia', 11142220, 'CELO', 10, 'op', 'test'],
  Codex: ['Codex', 81224, 'ETH', 50, 'op'],
  CodexSepolia: ['Codex Sepolia', 812242, 'ETH', 50, 'op', 'test'],
  Ethereum: ['Ethereum', 1, 'ETH', 12],
  EthereumClassic: ['Ethereum Classic', 61, 'ETC', 3_000],
  EthereumClassicMordor: ['Ethereum Classic Mordor', 63, 'METC', 3_000, 'test'],
  EthereumGoerli: ['Ethereum Goerli', 5, 'ETH', 12, 'test'],
  EthereumHolesky: ['Ethereum Holesky', 17000, 'ETH', 12, 'test'],
  EthereumHoodi: ['Ethereum Hoodi', 560048, 'ETH', 12, 'test'],
  EthereumSepolia: ['Ethereum Sepolia', 11155111, 'ETH', 12, 'test'],
  FantomOpera: ['Fantom Opera', 250, 'FTM', 5],
  FantomTestnet: ['Fantom Testnet', 4002, 'FTM', 5, 'test'],
  FlareC: ['Flare', 14, 'FLR', 50],
  FlareCCoston2: ['Flare Coston2', 114, 'C2FLR', 50, 'test'],
  FlowEvm: ['Flow EVM', 747, 'FLOW', 10],
  FlowEvmTestnet: ['Flow EVM Testnet', 545, 'FLOW', 10, 'test'],
  Ink: ['Ink', 57073, 'ETH', 10, 'op'],
  InkSepolia: ['Ink Sepolia', 763373, 'ETH', 10, 'op', 'test'],
  Optimism: ['OP Mainnet', 10, 'ETH', 10, 'op'],
  OptimismGoerli: ['OP Goerli', 420, 'ETH', 10, 'op', 'test'],
  OptimismSepolia: ['OP Sepolia', 11155420, 'ETH', 10, 'op', 'test'],
  Plasma: ['Plasma', 9745, 'XPL', 5],
  PlasmaTestnet: ['Plasma Testnet', 9746, 'XPL', 5, 'test'],
  Plume: ['Plume', 98866, 'PLUME', 10],
  PlumeSepolia: ['Plume Sepolia', 98867, 'PLUME', 10, 'test'],
  Polygon: ['Polygon', 137, 'POL', 10],
  PolygonAmoy: ['Polygon Amoy', 80002, 'POL', 10, 'test'],
  PolygonMumbai: ['Polygon Mumbai', 80001, 'MATIC', 10, 'test'],
  Race: ['RACE', 6805, 'ETH', 50, 'op'],
  RaceSepolia: ['RACE Sepolia', 6806, 'ETH', 50, 'op', 'test'],
  Robinhood: ['Robinhood Chain', 4663, 'ETH', 10],
  RobinhoodSepolia: ['Robinhood Chain Testnet', 46630, 'ETH', 10, 'test'],
  SeiAtlantic2: ['Sei Atlantic 2', 1328, 'SEI', 5, 'test'],
  SeiPacific1: ['Sei Pacific 1', 1329, 'SEI', 5],
  Sonic: ['Sonic', 146, 'S', 5],
  SonicTestnet: ['Sonic Testnet', 14601, 'S', 5, 'test'],
  // Fees are taken from a stable token, and counted in these units.
  Tempo: ['Tempo', 4217, 'USD', 5, 'no-coin'],
  TempoAndantino: ['Tempo Andantino', 42429, 'USD', 5, 'no-coin', 'test'],
  TempoModerato: ['Tempo Moderato', 42431, 'USD', 5, 'no-coin', 'test'],
  XLayer: ['X Layer', 196, 'OKB', 10, 'op'],
  XLayerSepolia: ['X Layer Sepolia', 1952, 'OKB', 10, 'op', 'test'],
  Xdc: ['XDC Network', 50, 'XDC', 5],
  XdcApothem: ['XDC Apothem', 51, 'XDC', 5, 'test'],
} as const satisfies Readonly<Record<string, Row>>

export const evmNetworks: readonly Network[] = Object.entries(evmRows).map(
  ([id, [name, chainId, symbol, confirmationsFinal, ...traits]]: [string, Row]) => ({
    ...{ id, name, family: 'evm', chainId, testnet: traits.includes('test') },
    nativeAsset: { symbol, decimals },
    confirmationsFinal,
    ...(traits.includes('op') ? { dataFee: 'OpStack' as const } : {}),
    ...(traits.includes('no-coin') ? { noCoin: true as const } : {}),
  }),
)

const networksById = new Map(evmNetworks.map((network) => [network.id, network]))

export function findEvmNetwork(id: string): Network | undefined {
  return networksById.get(id)
}
