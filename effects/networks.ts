import {
  evmRows,
  feeCeilings,
  nativeContracts,
  type EvmId,
  type EvmRow,
  type NativeContract,
} from './networks/evm.ts'

/**
 * What a signer must know of a network before it signs for it. This is the signers' own pinned copy:
 * nothing here is ever taken from the server, which may lower a ceiling (by a setting in the log)
 * and never raise one.
 */
export type Network = EvmNetwork | PseudoNetwork

export type Scheme = 'ECDSA' | 'EdDSA' | 'Schnorr' | 'DH'

type Traits = {
  readonly id: string
  readonly scheme: Scheme
  readonly curve: 'secp256k1' | 'ed25519' | 'stark'
  /** Do the signed bytes name the chain? Only then may one key back a second network. */
  readonly separated: boolean
  /** May a wallet of this network sign bytes whose effect nobody can tell? */
  readonly rawAllowed: boolean
  /** Nothing new begins there, and what exists stays usable. */
  readonly isRetired: boolean
  /** Can one wallet pay the fees of what another one does? */
  readonly hasSponsors: boolean
}

export type EvmNetwork = Traits & {
  readonly family: 'evm'
  readonly chainId: bigint
  /** The most that one transaction may spend on fees, in the smallest unit. */
  readonly feeCeiling: bigint
  /** Takes transactions of type 0 alone: it has no fee market (EIP-1559). */
  readonly isLegacy: boolean
  readonly nativeContract?: NativeContract | undefined
}

/** Stands for no chain: its wallets only sign what they are given. */
export type PseudoNetwork = Traits & { readonly family: 'pseudo' }

function evmNetwork(
  known: Pick<EvmNetwork, 'id' | 'chainId' | 'feeCeiling' | 'isLegacy' | 'nativeContract'> & {
    readonly isRetired?: boolean
  },
): EvmNetwork {
  return {
    family: 'evm',
    scheme: 'ECDSA',
    curve: 'secp256k1',
    // EIP-155 and everything since: a transaction names its chain.
    separated: true,
    rawAllowed: false,
    isRetired: false,
    // A chain of the old fees has no delegated accounts (EIP-7702) either, by which sponsors pay.
    hasSponsors: !known.isLegacy,
    ...known,
  }
}

const evmNetworks = Object.entries(evmRows).map(
  ([id, [chainId, asset, ...traits]]: [string, EvmRow]): EvmNetwork =>
    evmNetwork({
      ...{ id, chainId, feeCeiling: feeCeilings[asset] },
      isRetired: traits.includes('retired'),
      isLegacy: traits.includes('legacy'),
      nativeContract: nativeContracts[id as EvmId],
    }),
)

const networks: readonly Network[] = [
  ...evmNetworks,
  {
    id: 'KeyECDSA',
    family: 'pseudo',
    scheme: 'ECDSA',
    curve: 'secp256k1',
    separated: false,
    rawAllowed: true,
    isRetired: false,
    hasSponsors: false,
  },
  {
    id: 'KeyECDSAStark',
    family: 'pseudo',
    scheme: 'ECDSA',
    curve: 'stark',
    separated: false,
    rawAllowed: true,
    isRetired: false,
    hasSponsors: false,
  },
  {
    id: 'KeyEdDSA',
    family: 'pseudo',
    scheme: 'EdDSA',
    curve: 'ed25519',
    separated: false,
    rawAllowed: true,
    isRetired: false,
    hasSponsors: false,
  },
]

/** Of keys that no network here takes: no wallet can be made on these, so they are found by no id. */
const walletless: Readonly<Record<'Schnorr' | 'DH', PseudoNetwork>> = {
  Schnorr: {
    id: 'KeySchnorr',
    family: 'pseudo',
    scheme: 'Schnorr',
    curve: 'secp256k1',
    separated: false,
    rawAllowed: true,
    isRetired: false,
    hasSponsors: false,
  },
  DH: {
    id: 'KeyDH',
    family: 'pseudo',
    scheme: 'DH',
    curve: 'secp256k1',
    separated: false,
    rawAllowed: false,
    isRetired: false,
    hasSponsors: false,
  },
}

/** What an operator says of a chain of his own: all that signers have to know of it. */
export type OwnNetwork = {
  readonly id: string
  readonly chainId: number
  readonly feeCeiling: bigint
  readonly legacy: boolean
  readonly nativeContract?: NativeContract | undefined
}

/** The networks there are for whoever judges by one manifest. */
export type Networks = {
  readonly find: (id: string) => Network | undefined
  /** Each chain has one network. */
  readonly onChain: (chainId: bigint) => EvmNetwork | undefined
}

/**
 * The tables' networks and those of an operator's own, which the cluster manifest names.
 * @throws Error where one would pass for another: nothing may start with such a manifest
 */
export function openNetworks(own: readonly OwnNetwork[]): Networks {
  const all: readonly Network[] = [...networks, ...own.map(ownNetwork)]
  const names = [...all, ...Object.values(walletless)].map(({ id }) => id.toLowerCase())
  const chains = all.flatMap((network) => (network.family === 'evm' ? network : []))
  for (const { id, chainId } of own) {
    // Paths have no capitals, and people hardly see them.
    if (names.filter((name) => name === id.toLowerCase()).length > 1)
      throw new Error(`There is another network ${id}: the manifest cannot have its own.`)
    if (chains.filter((network) => network.chainId === BigInt(chainId)).length > 1)
      throw new Error(`There is another network on chain ${chainId}: it cannot be that of ${id}.`)
  }
  const byId = new Map(all.map((network) => [network.id, network]))
  const byChain = new Map(chains.map((network) => [network.chainId, network]))
  return { find: (id) => byId.get(id), onChain: (chainId) => byChain.get(chainId) }
}

function ownNetwork({ chainId, legacy, ...known }: OwnNetwork): EvmNetwork {
  const { id, feeCeiling, nativeContract } = known
  return evmNetwork({
    ...{ id, chainId: BigInt(chainId), feeCeiling, isLegacy: legacy, nativeContract },
  })
}

/** Those of the tables, which are there under every manifest. */
export const tableNetworks = openNetworks([])

/** The pseudo network of a key that signs without a wallet. */
export function pseudoNetworkOf({ scheme, curve }: Pick<Network, 'scheme' | 'curve'>): Network {
  if (scheme === 'Schnorr' || scheme === 'DH') return walletless[scheme]
  const network = tableNetworks.find(curve === 'stark' ? `Key${scheme}Stark` : `Key${scheme}`)
  if (network === undefined) throw new TypeError(`no pseudo network for ${scheme} on ${curve}`)
  return network
}
