import assert from 'node:assert/strict'
import { privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts'
import { fromHex, toHex } from '@quorate/core/bytes'
import { type Hex, keccak256 } from 'viem'
import type { Rpc, SignedTransaction } from '../adapter.ts'
import { evm } from '../evm/index.ts'
import { tokenCall, tokenHolding } from '../evm/tokens.ts'
import { ethereumSepolia } from './sepolia.ts'

/** A node whose chain a test makes, be it a real one or the stand-in. */
export type NodeUnderTest = {
  readonly rpc: Rpc
  /** A contract (ERC-20) of which nobody has anything yet. */
  readonly coin: string
  endow(address: string, wei: bigint): Promise<void>
  endowUnits(address: string, units: bigint): Promise<void>
  /** The first of them has a later time than the one before it. */
  mine(blocks: number): Promise<void>
  /** Blocks at the end are replaced by as many empty ones. */
  reorganize(depth: number): Promise<void>
  drop(hash: string): Promise<void>
  stop(): Promise<void>
}

export const network = { ...ethereumSepolia, confirmationsFinal: 4 }
export const ether = 10n ** 18n
const gwei = 10n ** 9n
export const shop = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed' as const

/** What the tests of nodes ask them with. */
export class Bench {
  private opened: NodeUnderTest | undefined
  private keys = 0

  open(node: NodeUnderTest): void {
    this.opened = node
  }

  get node(): NodeUnderTest {
    return this.opened ?? assert.fail('no node has been started')
  }

  readonly rpc: Rpc = (method, params) => this.node.rpc(method, params)

  /** Each test has an account of its own. */
  async account(funds = ether): Promise<PrivateKeyAccount> {
    const made = privateKeyToAccount(`0x${String((this.keys += 1)).padStart(64, '0')}`)
    await this.node.endow(made.address, funds)
    return made
  }

  async holder(units: bigint): Promise<PrivateKeyAccount> {
    const made = await this.account()
    await this.node.endowUnits(made.address, units)
    return made
  }

  /** @param change fees in gwei */
  payUnits(from: PrivateKeyAccount, amount: bigint, change: Change = {}) {
    const move = this.move(amount)
    const data = `0x${toHex(tokenCall(from.address, move))}` as const
    return pay(from, { gas: 80_000n, ...change, to: this.node.coin, value: 0n, data })
  }

  unitsOf(address: string): Promise<bigint> {
    return tokenHolding(this.rpc, address, this.move(0n))
  }

  move(amount: bigint) {
    return { kind: 'Erc20', contract: this.node.coin, to: shop, amount } as const
  }

  send(signed: SignedTransaction) {
    return evm.broadcast(this.rpc, signed)
  }

  statusOf(from: PrivateKeyAccount, { hash }: SignedTransaction, slot = 0n) {
    return evm.status(this.rpc, network, { hash, from: from.address, slot })
  }

  async feeOf(from: PrivateKeyAccount, signed: SignedTransaction): Promise<bigint> {
    const status = await this.statusOf(from, signed)
    assert.ok(status.kind === 'included' && status.succeeded)
    return status.fee
  }

  async logsOf({ hash }: SignedTransaction): Promise<readonly Log[]> {
    return Object(await this.rpc('eth_getTransactionReceipt', [hash])).logs
  }
}

type Log = { readonly address: string; readonly topics: readonly string[]; readonly data: string }

type Change = {
  readonly nonce?: number
  readonly fee?: bigint
  readonly gas?: bigint
  readonly value?: bigint
  readonly chainId?: number
  readonly to?: string
  readonly data?: Hex
}

/** @param change fees in gwei */
export async function pay(
  from: PrivateKeyAccount,
  change: Change = {},
): Promise<SignedTransaction> {
  const { nonce = 0, fee = 10n, value = 1n, chainId = network.chainId, ...more } = change
  const { gas = 21_000n, to = shop, data = '0x' } = more
  const price = { maxFeePerGas: fee * gwei, maxPriorityFeePerGas: fee * gwei }
  const tx = { type: 'eip1559', to: to as Hex, gas, data, chainId, nonce, value, ...price } as const
  const raw = await from.signTransaction(tx)
  return { bytes: fromHex(raw.slice(2)), hash: keccak256(raw) }
}
