import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts'
import { fromHex } from '@quorate/core/bytes'
import { keccak256 } from 'viem'
import type { Rpc, SignedTransaction } from '../adapter.ts'
import { evm, pendingNonce } from '../evm/index.ts'
import { findHeader } from '../evm/blocks.ts'
import { ethereumSepolia } from './sepolia.ts'

/** A node whose chain a test makes, be it a real one or the stand-in. */
export type NodeUnderTest = {
  readonly rpc: Rpc
  endow(address: string, wei: bigint): Promise<void>
  mine(blocks: number): Promise<void>
  /** Blocks at the end are replaced by as many empty ones. */
  reorganize(depth: number): Promise<void>
  drop(hash: string): Promise<void>
  stop(): Promise<void>
}

const network = { ...ethereumSepolia, confirmationsFinal: 4 }
const ether = 10n ** 18n
const gwei = 10n ** 9n
const shop = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'

/** What a server rests on when it pays, asked in the words in which it asks. */
export function describeNode(name: string, start: () => Promise<NodeUnderTest>): void {
  describe(name, () => {
    const bench = new Bench()
    before(async () => bench.open(await start()))
    after(() => bench.node.stop())
    describePayments(bench)
    describeChain(bench)
  })
}

class Bench {
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
}

function describePayments(bench: Bench): void {
  it('is of its chain', async () => {
    await evm.checkChain(bench.rpc, network)
  })

  it('takes a payment once, however often it is sent', async () => {
    const from = await bench.account()
    const signed = await pay(from)
    assert.deepEqual(await bench.send(signed), { kind: 'accepted' })
    assert.deepEqual(await bench.send(signed), { kind: 'known' })
    assert.deepEqual(await bench.statusOf(from, signed), { kind: 'pending' })
    await bench.node.mine(1)
    assert.equal((await bench.statusOf(from, signed)).kind, 'included')
    assert.equal((await bench.send(signed)).kind, 'slot-used')
    const fee = await bench.feeOf(from, signed)
    assert.equal(await evm.balance(bench.rpc, from.address), ether - 1n - fee)
  })

  it('counts what waits without a gap, and in blocks what blocks have', async () => {
    const from = await bench.account()
    for (const nonce of [0, 1, 3]) await bench.send(await pay(from, { nonce }))
    assert.equal(await pendingNonce(bench.rpc, from.address), 2n)
    assert.equal(await bench.rpc('eth_getTransactionCount', [from.address, 'latest']), '0x0')
    await bench.node.mine(1)
    assert.equal(await bench.rpc('eth_getTransactionCount', [from.address, 'latest']), '0x2')
    await bench.send(await pay(from, { nonce: 2 }))
    assert.equal(await pendingNonce(bench.rpc, from.address), 4n)
  })

  it('takes another one at a nonce for a tenth more, and forgets the first', async () => {
    const from = await bench.account()
    const [slow, cheap] = [await pay(from), await pay(from, { value: 2n })]
    const fast = await pay(from, { fee: 12n })
    await bench.send(slow)
    assert.equal((await bench.send(cheap)).kind, 'refused')
    assert.deepEqual(await bench.send(fast), { kind: 'accepted' })
    assert.deepEqual(await bench.statusOf(from, slow), { kind: 'missing' })
    await bench.node.mine(network.confirmationsFinal)
    assert.equal((await bench.statusOf(from, fast)).kind, 'included')
    assert.deepEqual(await bench.statusOf(from, slow), { kind: 'lapsed' })
  })
}

function describeChain(bench: Bench): void {
  it('refuses what nobody can pay for', async () => {
    const from = await bench.account(1_000n)
    assert.equal((await bench.send(await pay(from))).kind, 'refused')
  })

  it('observes a payment: what it takes, and prices above that of the next block', async () => {
    const from = await bench.account()
    const ask = { type: 2, from: from.address, to: shop, value: 1n } as const
    const whole = { ...ask, data: new Uint8Array(), priority: 'Standard', nonce: 7n } as const
    const facts = await evm.observe(bench.rpc, whole)
    assert.deepEqual([facts.nonce, facts.gasLimit], [7n, 21_000n])
    assert.ok(facts.maxFeePerGas > facts.maxPriorityFeePerGas && facts.maxPriorityFeePerGas > 0n)
  })

  it('tells of each block what was true then', async () => {
    const from = await bench.account()
    const first = await findHeader(bench.rpc, 'latest')
    await bench.send(await pay(from))
    await bench.node.mine(2)
    const second = await findHeader(bench.rpc, 'latest')
    assert.ok(first && second)
    assert.equal(second.number, first.number + 2n)
    const between = await findHeader(bench.rpc, first.number + 1n)
    assert.equal(second.parentHash, between?.hash)
    assert.equal(await findHeader(bench.rpc, second.number + 1n), undefined)
    const at = { blockHash: first.hash, requireCanonical: true }
    assert.equal(BigInt(String(await bench.rpc('eth_getBalance', [from.address, at]))), ether)
    const then = `0x${first.number.toString(16)}`
    assert.equal(await bench.rpc('eth_getTransactionCount', [from.address, then]), '0x0')
  })

  it('takes back what its chain takes back', async () => {
    const from = await bench.account()
    const signed = await pay(from)
    await bench.send(signed)
    await bench.node.mine(2)
    await bench.node.reorganize(2)
    assert.notEqual((await bench.statusOf(from, signed)).kind, 'included')
    assert.equal(await bench.rpc('eth_getTransactionCount', [from.address, 'latest']), '0x0')
    assert.equal(await evm.balance(bench.rpc, from.address), ether)
    await bench.send(signed)
    await bench.node.mine(1)
    assert.equal((await bench.statusOf(from, signed)).kind, 'included')
  })

  it('knows nothing more of what its pool has dropped, and takes it again', async () => {
    const from = await bench.account()
    const signed = await pay(from)
    await bench.send(signed)
    await bench.node.drop(signed.hash)
    assert.deepEqual(await bench.statusOf(from, signed), { kind: 'missing' })
    assert.deepEqual(await bench.send(signed), { kind: 'accepted' })
  })

  it('refuses bytes that are no transaction, and one of another chain', async () => {
    const garbage = { bytes: fromHex('02c0'), hash: '0x00' }
    assert.equal((await bench.send(garbage)).kind, 'refused')
    const from = await bench.account()
    assert.equal((await bench.send(await pay(from, { chainId: 1 }))).kind, 'refused')
  })
}

/** @param change fees in gwei */
async function pay(
  from: PrivateKeyAccount,
  change: { nonce?: number; fee?: bigint; value?: bigint; chainId?: number } = {},
): Promise<SignedTransaction> {
  const { nonce = 0, fee = 10n, value = 1n, chainId = network.chainId } = change
  const price = { maxFeePerGas: fee * gwei, maxPriorityFeePerGas: fee * gwei }
  const tx = { type: 'eip1559', to: shop, gas: 21_000n, chainId, nonce, value, ...price } as const
  const raw = await from.signTransaction(tx)
  return { bytes: fromHex(raw.slice(2)), hash: keccak256(raw) }
}
