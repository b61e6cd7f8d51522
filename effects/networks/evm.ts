/**
 * The networks of Ethereum's kind, as signers know them. The other half of what is known of a network
 * is in `chains/networks/evm.ts`; a test in `server/chain` holds the two against each other.
 */
const unit = 10n ** 18n

/**
 * The most that one transaction may spend on fees, in the smallest unit of what fees are paid in.
 *
 * In ether: a plain transfer at 1,000 gwei costs 0.021 and a large contract at 20 gwei 0.04. What a
 * server in league with a block producer can burn per authorized transaction ends here. In all
 * others: what was worth about as much when the number was chosen, rounded up to one, two or five
 * times a power of ten. AREA has no price that one could look up: it has 50 million gas at 100 gwei.
 */
export const feeCeilings = {
  ADI: 50n * unit,
  AREA: 5n * unit,
  AVAX: 10n * unit,
  BERA: 100n * unit,
  BNB: unit / 5n,
  CELO: 1_000n * unit,
  ETC: 10n * unit,
  ETH: unit / 20n,
  FLOW: 1_000n * unit,
  FLR: 10_000n * unit,
  FTM: 1_000n * unit,
  OKB: 2n * unit,
  PLUME: 5_000n * unit,
  POL: 1_000n * unit,
  S: 2_000n * unit,
  SEI: 1_000n * unit,
  // Arc counts its native USDC, and Tempo what it takes from a stable token, in units of 10^-18.
  USD: 200n * unit,
  XDC: 5_000n * unit,
  XPL: 1_000n * unit,
} as const

/**
 * `retired`: gone, or about to go. What exists there can be read and used, and nothing new begins.
 * `legacy`: has no fee market (EIP-1559), and so takes no transactions of type 2.
 */
export type EvmTrait = 'retired' | 'legacy'

/** Chain id, and what fees are paid in. */
export type EvmRow = readonly [
  chainId: bigint,
  asset: keyof typeof feeCeilings,
  ...traits: readonly EvmTrait[],
]

export const evmRows = {
  Adi: [36900n, 'ADI'],
  AdiTestnetAb: [99999n, 'ADI'],
  ArbitrumGoerli: [421613n, 'ETH', 'retired'],
  ArbitrumOne: [42161n, 'ETH'],
  ArbitrumSepolia: [421614n, 'ETH'],
  Arc: [5042n, 'USD'],
  ArcTestnet: [5042002n, 'USD'],
  Areum: [463n, 'AREA'],
  AvalancheC: [43114n, 'AVAX'],
  AvalancheCFuji: [43113n, 'AVAX'],
  Base: [8453n, 'ETH'],
  BaseGoerli: [84531n, 'ETH', 'retired'],
  BaseSepolia: [84532n, 'ETH'],
  Berachain: [80094n, 'BERA'],
  BerachainBArtio: [80084n, 'BERA', 'retired'],
  BerachainBepolia: [80069n, 'BERA'],
  Bob: [60808n, 'ETH'],
  BobSepolia: [808813n, 'ETH'],
  Bsc: [56n, 'BNB'],
  BscTestnet: [97n, 'BNB'],
  Celo: [42220n, 'CELO'],
  CeloAlfajores: [44787n, 'CELO', 'retired'],
  CeloSepolia: [11142220n, 'CELO'],
  Codex: [81224n, 'ETH'],
  CodexSepolia: [812242n, 'ETH'],
  Ethereum: [1n, 'ETH'],
  EthereumClassic: [61n, 'ETC', 'legacy'],
  EthereumClassicMordor: [63n, 'ETC', 'legacy'],
  EthereumGoerli: [5n, 'ETH', 'retired'],
  EthereumHolesky: [17000n, 'ETH', 'retired'],
  EthereumHoodi: [560048n, 'ETH'],
  EthereumSepolia: [11155111n, 'ETH'],
  FantomOpera: [250n, 'FTM'],
  FantomTestnet: [4002n, 'FTM'],
  FlareC: [14n, 'FLR'],
  FlareCCoston2: [114n, 'FLR'],
  FlowEvm: [747n, 'FLOW'],
  FlowEvmTestnet: [545n, 'FLOW'],
  Ink: [57073n, 'ETH'],
  InkSepolia: [763373n, 'ETH'],
  Optimism: [10n, 'ETH'],
  OptimismGoerli: [420n, 'ETH', 'retired'],
  OptimismSepolia: [11155420n, 'ETH'],
  Plasma: [9745n, 'XPL'],
  PlasmaTestnet: [9746n, 'XPL'],
  Plume: [98866n, 'PLUME'],
  PlumeSepolia: [98867n, 'PLUME'],
  Polygon: [137n, 'POL'],
  PolygonAmoy: [80002n, 'POL'],
  PolygonMumbai: [80001n, 'POL', 'retired'],
  Race: [6805n, 'ETH'],
  RaceSepolia: [6806n, 'ETH'],
  Robinhood: [4663n, 'ETH'],
  RobinhoodSepolia: [46630n, 'ETH'],
  SeiAtlantic2: [1328n, 'SEI'],
  SeiPacific1: [1329n, 'SEI'],
  Sonic: [146n, 'S'],
  SonicTestnet: [14601n, 'S'],
  Tempo: [4217n, 'USD'],
  TempoAndantino: [42429n, 'USD', 'retired'],
  TempoModerato: [42431n, 'USD'],
  XLayer: [196n, 'OKB'],
  XLayerSepolia: [1952n, 'OKB'],
  Xdc: [50n, 'XDC'],
  XdcApothem: [51n, 'XDC'],
} as const satisfies Readonly<Record<string, EvmRow>>

export type EvmId = keyof typeof evmRows

/**
 * A contract whose ERC-20 calls move the network's own coin: one balance, in two units.
 *
 * No list of the world's chains says which have one. What is known of the others here: on the networks of the OP Stack the
 * contract at 0xDeadDeAddeAddEAddeadDEaDDEAdDeaDDeAD0000 refuses every transfer and approval (LegacyERC20ETH); a chain of
 * ZKsync's keeps its coin at 0x…800a, which has no such calls (L2BaseToken); Tempo has no coin at all, and its fees are
 * taken from a token of the payer's choice. Open are Sei, where the bank's denominations get contracts
 * of this kind one by one (`addNativePointer` of 0x…100b) and nobody pins whether `usei` has; and Areum, of which there is no
 * documentation. `docs/policies.md` says so to whoever lays a limit on these.
 */
export type NativeContract = {
  /** In lower case. */
  readonly address: string
  /** How many of the coin's units one of the contract's is. */
  readonly units: bigint
}

const celo = { address: '0x471ece3750da237f93b8e339c536989b8978a438', units: 1n } as const
/** Of its 6 decimals, where the coin has 18. */
const arc = { address: '0x3600000000000000000000000000000000000000', units: 10n ** 12n } as const
/** It moves what it is given as value, and so nothing that is not counted; a limit by its name would miss the rest. */
const polygon = { address: '0x0000000000000000000000000000000000001010', units: 1n } as const

export const nativeContracts: Readonly<Partial<Record<EvmId, NativeContract>>> = {
  // docs.arc.network, "Contract addresses": the same on both.
  ...{ Arc: arc, ArcTestnet: arc },
  // docs.celo.org, "Token duality" and "Core contracts", as CeloToken and GoldToken. Alfajores is in what it said until 2025.
  ...{ Celo: celo, CeloSepolia: celo },
  CeloAlfajores: { address: '0xf194afdf50b03e69bd7d057c1aa9e10c9954e4c9', units: 1n },
  // maticnetwork/contracts, contracts/child/MRC20.sol: in the genesis of each.
  ...{ Polygon: polygon, PolygonAmoy: polygon, PolygonMumbai: polygon },
}

/**
 * Of networks without a public chain id: each exists only where an operator says which chain he means.
 */
export const unnumberedIds = [
  'AdiTestnet',
  'BesuTestnet',
  'Rayls',
  'RaylsTestnet',
  'Tsc',
  'TscTestnet1',
] as const
