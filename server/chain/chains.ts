import { evm } from '@quorate/chains/evm/index'
import type { Network, Rpc } from '@quorate/chains/adapter'
import { evmNetworks, findEvmNetwork } from '@quorate/chains/networks/evm'
import { kebabOf } from '@quorate/chains/networks/kebab'
import { httpNode } from '@quorate/chains/nodes'
import { Failure } from '@quorate/core/failure'
import { findNetwork } from '@quorate/effects/networks'
import { type Nodes, readNodes } from './nodes-file.ts'

/** A network whose node this server asks. */
export type Chain = {
  readonly network: Network
  readonly rpc: Rpc
  readonly adapter: typeof evm
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
  const isPseudo = findNetwork(id)?.family === 'pseudo'
  const reason = isPseudo ? `${id} stands for no chain` : `the network ${id} is not supported yet`
  throw new Failure('request.unsupported', { reason })
}

/**
 * @param nodesFile what `SERVER_NODES_FILE` holds
 * @throws Error with every mistake at once
 */
export function readChains(nodesFile: string): Chains {
  return openChains(readNodes(nodesFile, (network) => findEvmNetwork(network) !== undefined))
}

export function openChains(nodes: Nodes): Chains {
  const chains = new Map([...nodes].map(([id, node]) => [id, openChain(networkNamed(id), node)]))
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

type Node = Nodes extends ReadonlyMap<string, infer N> ? N : never

function openChain(known: Network, { rpcUrl, confirmations }: Node): Chain {
  const confirmationsFinal = confirmations ?? known.confirmationsFinal
  const network = { ...known, confirmationsFinal }
  const rpc = httpNode({ url: rpcUrl, network: network.id })
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
  return { network, rpc, adapter: evm, ready }
}
