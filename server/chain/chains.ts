import { evm } from '@quorate/chains/evm/index'
import { severalNodes } from '@quorate/chains/evm/several-nodes'
import type { Network, Rpc } from '@quorate/chains/adapter'
import { evmNetworks, findEvmNetwork } from '@quorate/chains/networks/evm'
import { kebabOf } from '@quorate/chains/networks/kebab'
import { httpNode } from '@quorate/chains/nodes'
import { Failure } from '@quorate/core/failure'
import { tableNetworks } from '@quorate/effects/networks'
import { isNetwork, type NetworkNodes, type Nodes, readNodes, urlsOf } from './nodes-file.ts'

/** A network whose nodes this server asks, as if they were one. */
export type Chain = {
  readonly network: Network
  readonly rpc: Rpc
  readonly adapter: typeof evm
  /** Where its reading begins, if the operator says so. */
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
  readonly all: readonly Chain[]
}

/** @throws Failure `request.unsupported` */
export function networkNamed(id: string): Network {
  const network = findEvmNetwork(id)
  if (network !== undefined) return network
  const isPseudo = tableNetworks.find(id)?.family === 'pseudo'
  const reason = isPseudo ? `${id} stands for no chain` : `the network ${id} is not supported yet`
  throw new Failure('request.unsupported', { reason })
}

/**
 * @param nodesFile what `SERVER_NODES_FILE` holds
 * @throws Error with every mistake at once
 */
export function readChains(nodesFile: string, onDistrust?: OnDistrust): Chains {
  return openChains(readNodes(nodesFile, isNetwork), onDistrust)
}

/** Told of each node that is put aside for a while; it counts from 1 in the operator's order. */
export type OnDistrust = (event: {
  readonly network: string
  readonly node: number
  readonly reason: string
}) => void

export function openChains(nodes: Nodes, onDistrust: OnDistrust = () => undefined): Chains {
  const opened = [...nodes].map(([id, node]) => openChain(networkNamed(id), node, onDistrust))
  const chains = new Map(opened.map((chain) => [chain.network.id, chain]))
  const find = (id: string): Chain => {
    const { id: network } = networkNamed(id)
    const chain = chains.get(network)
    if (chain === undefined) throw new Failure('chain.unavailable', { network })
    return chain
  }
  return {
    find,
    all: [...chains.values()],
  }
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

function openChain(known: Network, node: NetworkNodes, onDistrust: OnDistrust): Chain {
  const { agree = 1, confirmations, firstBlock } = node
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
          ...{ network, nodes, agree, now: () => performance.now() },
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
  return { network, rpc, adapter: evm, ...beginning, ready }
}
