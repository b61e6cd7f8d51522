import { evmRows, feeCeilings, type EvmRow } from './networks/evm.ts'

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
}

/** Stands for no chain: its wallets only sign what they are given. */
export type PseudoNetwork = Traits & { readonly family: 'pseudo' }

const evmNetworks = Object.entries(evmRows).map(
  ([id, [chainId, asset, ...traits]]: [string, EvmRow]): EvmNetwork => ({
    id,
    family: 'evm',
    scheme: 'ECDSA',
    curve: 'secp256k1',
    // EIP-155 and everything since: a transaction names its chain.
    separated: true,
    rawAllowed: false,
    isRetired: traits.includes('retired'),
    isLegacy: traits.includes('legacy'),
    // A chain of the old fees has no delegated accounts (EIP-7702) either, by which sponsors pay.
    hasSponsors: !traits.includes('legacy'),
    chainId,
    feeCeiling: feeCeilings[asset],
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

const networksById = new Map(networks.map((network) => [network.id, network]))

export function findNetwork(id: string): Network | undefined {
  return networksById.get(id)
}

/** The pseudo network of a key that signs without a wallet. */
export function pseudoNetworkOf({ scheme, curve }: Pick<Network, 'scheme' | 'curve'>): Network {
  if (scheme === 'Schnorr' || scheme === 'DH') return walletless[scheme]
  const network = findNetwork(curve === 'stark' ? `Key${scheme}Stark` : `Key${scheme}`)
  if (network === undefined) throw new TypeError(`no pseudo network for ${scheme} on ${curve}`)
  return network
}
