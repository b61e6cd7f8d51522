import { evm } from '@quorate/chains/evm/index'
import { severalNodes } from '@quorate/chains/evm/several-nodes'
import type { Network, Rpc } from '@quorate/chains/adapter'
import { evmNetworks, findEvmNetwork } from '@quorate/chains/networks/evm'
import { kebabOf } from '@quorate/chains/networks/kebab'
import { httpNode } from '@quorate/chains/nodes'
import { Failure } from '@quorate/core/failure'
import type { EvmNetwork, Networks, OwnNetwork } from '@quorate/effects/networks'
import { networksOf } from '@quorate/judge/networks'
import { networkOfOwn } from './own-network.ts'
import { type NetworkKind, type NetworkNodes, type Nodes, readNodes, urlsOf } from './nodes-file.ts'

/** A network whose nodes this server asks, as if they were one. */
export type Chain = {
  readonly network: Network
  /** What the signers know of it. */
  readonly traits: EvmNetwork
  readonly rpc: Rpc
  readonly adapter: typeof evm
  /** Down to where it is read, if the operator says so. */
  readonly firstBlock?: bigint
  /**
   * Is the node of this network? Asked once, before anything else is.
   * @throws Failure `chain.unavailable`, `chain.refused`
   */
  ready(): Promise<void>
}
export type Chains = {
  /** @throws Failure `request.unsupported` for what is no chain, `chain.unavailable` without a node */
  find(network: string): Chain
  /** With or without a node. @throws Failure `request.unsupported` for what is no chain */
  named(network: string): Network
  /** No new ones on a network of the operators' own whose nodes are not there, or were taken away. */
  takesWallets(network: string): boolean
  /** As the signers know them. */
  readonly networks: Networks
  readonly all: readonly Chain[]
}

/** What anybody reads a file of nodes by. */
export type Own = readonly OwnNetwork[]

export function kindIn(own: Own): (id: string) => NetworkKind {
  return (id) => {
    if (findEvmNetwork(id) !== undefined) return 'known'
    return own.some((network) => network.id === id) ? 'own' : undefined
  }
}

/**
 * @param nodesFile what `SERVER_NODES_FILE` holds
 * @param own the networks that the manifest names
 * @throws Error with every mistake at once
 */
export function readChains(nodesFile: string, onDistrust?: OnDistrust, own: Own = []): Chains {
  return openChains(readNodes(nodesFile, kindIn(own)), onDistrust, own)
}

/** Told of each node that is put aside for a while; it counts from 1 in the operator's order. */
export type OnDistrust = (event: {
  readonly network: string
  readonly node: number
  readonly reason: string
}) => void

export function openChains(
  nodes: Nodes,
  onDistrust: OnDistrust = () => undefined,
  own: Own = [],
): Chains {
  const networks = networksOf({ networks: own })
  const named = (id: string): Network => networkNamed({ networks, own, nodes }, id)
  const asked = [...nodes].filter(([, node]) => urlsOf(node).length > 0)
  const opened = asked.map(([id, node]) =>
    openChain({ network: named(id), traits: evmNetwork(networks, id), node }, onDistrust),
  )
  const chains = new Map(opened.map((chain) => [chain.network.id, chain]))
  const find = (id: string): Chain => {
    const { id: network } = named(id)
    const chain = chains.get(network)
    if (chain === undefined) throw new Failure('chain.unavailable', { network })
    return chain
  }
  const takesWallets = (id: string): boolean => chains.has(id) || !own.some((one) => one.id === id)
  return { find, named, takesWallets, networks, all: [...chains.values()] }
}

type Known = { readonly networks: Networks; readonly own: Own; readonly nodes: Nodes }

/** @throws Failure `request.unsupported` */
function networkNamed({ networks, own, nodes }: Known, id: string): Network {
  const network = findEvmNetwork(id)
  if (network !== undefined) return network
  const traits = own.find((one) => one.id === id)
  if (traits !== undefined) return networkOfOwn(traits, nodes.get(id))
  const isPseudo = networks.find(id)?.family === 'pseudo'
  const reason = isPseudo ? `${id} stands for no chain` : `the network ${id} is not supported yet`
  throw new Failure('request.unsupported', { reason })
}

/** What the signers know of a network that has transactions. @throws Failure `request.unsupported` */
export function evmNetwork(networks: Networks, id: string): EvmNetwork {
  const network = networks.find(id)
  if (network?.family === 'evm') return network
  throw new Failure('request.unsupported', { reason: `${id} has no transactions` })
}

/**
 * By the network's id as paths have it, such as `ethereum-sepolia`.
 * @throws as `Chains.find`
 */
export function chainAt({ all, find }: Chains, kebab: string): Chain {
  const isIt = ({ id }: Network): boolean => kebabOf(id) === kebab
  const named = all.find(({ network }) => isIt(network))?.network ?? evmNetworks.find(isIt)
  if (named !== undefined) return find(named.id)
  throw new Failure('request.unsupported', { reason: `there is no network at ${kebab}` })
}

type Opening = {
  readonly network: Network
  readonly traits: EvmNetwork
  readonly node: NetworkNodes
}

function openChain({ network: known, traits, node }: Opening, onDistrust: OnDistrust): Chain {
  const { agree = 1, outvoted = 0, confirmations, firstBlock } = node
  const confirmationsFinal = confirmations ?? known.confirmationsFinal
  const network = { ...known, confirmationsFinal }
  const nodes = urlsOf(node).map((url) => httpNode({ url, network: network.id }))
  const [first, ...others] = nodes
  if (first === undefined) throw new TypeError(`no node of ${network.id}`)
  // A single node is believed as it is: there is nothing to hold it against.
  const rpc =
    others.length === 0
      ? first
      : severalNodes({
          ...{ network, nodes, agree, outvoted, now: () => performance.now() },
          onDistrust: (event) => onDistrust({ network: network.id, ...event }),
        })
  let checked: Promise<void> | undefined
  const ready = async () => {
    checked ??= evm.checkChain(rpc, network)
    try {
      await checked
    } catch (error) {
      // A node that did not answer may do so a moment later.
      checked = undefined
      throw error
    }
  }
  const beginning = firstBlock === undefined ? {} : { firstBlock: BigInt(firstBlock) }
  return { network, traits, rpc, adapter: evm, ...beginning, ready }
}
