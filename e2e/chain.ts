import {
  type Address,
  createPublicClient,
  createWalletClient,
  type Hex,
  http,
  parseEther,
  serializeTransaction,
  type TransactionSerializableEIP1559,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { sepolia } from 'viem/chains'
import type { Rpc } from '@quorate/devnet/testing/deploy'
import type { BootstrapFile } from './platform.ts'

/** The local Ethereum node as anybody sees it, who has never heard of Quorate. */
export type Chain = {
  /** Waits until it has arrived. */
  fund(to: Address, ether: string): Promise<void>
  balance(of: Address): Promise<bigint>
  /** How many transactions this account has sent that are in blocks. */
  sent(by: Address): Promise<number>
  /** Calls of the node itself, such as a development node has. */
  readonly rpc: Rpc
  /** By its hash, as the chain has it. */
  transaction(hash: Hex): Promise<{
    readonly from: Address
    readonly to: Address | null
    readonly value: bigint
    readonly nonce: number
    readonly type: string
  }>
}

type DevelopmentNode = BootstrapFile['devnet']['EthereumSepolia']

/** A block comes every second. */
const pollingInterval = 200

export function openChain({ devnet }: Pick<BootstrapFile, 'devnet'>): Chain {
  return chainAt(devnet.EthereumSepolia)
}

/** A node of any chain, with an account on it that has money. */
export function chainAt({ rpcUrl, chainId, fundedPrivateKey }: DevelopmentNode): Chain {
  const chain = { ...sepolia, id: chainId }
  const options = { chain, transport: http(rpcUrl), pollingInterval }
  const reader = createPublicClient(options)
  const account = privateKeyToAccount(fundedPrivateKey)
  const funder = createWalletClient({ ...options, account })
  return {
    fund: async (to, ether) => {
      const hash = await inTurn(() => funder.sendTransaction({ to, value: parseEther(ether) }))
      await reader.waitForTransactionReceipt({ hash })
    },
    balance: (address) => reader.getBalance({ address }),
    sent: (address) => reader.getTransactionCount({ address }),
    rpc: (method, params) => {
      const ask = () => reader.request({ method, params } as never)
      return method === 'eth_sendTransaction' ? inTurn(ask) : ask()
    },
    transaction: (hash) => reader.getTransaction({ hash }),
  }
}

/**
 * Several wallets are funded at once, and contracts made beside, from the one account that has money: whoever
 * sends from it waits until the one before him has the nonce that he was given.
 */
function inTurn<T>(send: () => Promise<T>): Promise<T> {
  const sent = turn.then(send)
  turn = sent.then(
    () => undefined,
    // It is told to whoever has sent.
    () => undefined,
  )
  return sent
}
let turn: Promise<void> = Promise.resolve()

const gwei = 1_000_000_000n
/** Twenty times what the local chain asks for, and a tenth of the ceiling. */
export const fees = { maxFeePerGas: 20n * gwei, maxPriorityFeePerGas: gwei }

/** A transaction as bytes that nobody has signed yet. */
export function unsignedBytes(change: Partial<TransactionSerializableEIP1559> = {}): Hex {
  return serializeTransaction({
    chainId: sepolia.id,
    type: 'eip1559',
    nonce: 0,
    to: `0x${'77'.repeat(20)}`,
    value: 3n,
    gas: 40_000n,
    ...fees,
    ...change,
  })
}
