import { Failure } from '@quorate/core/failure'
import { parseTransaction, type Hex } from 'viem'
import type { Rpc } from '../adapter.ts'
import { smallAccount } from './small-account.ts'
import { readAuthorizations, type Signed } from './small-authorization.ts'
import { carryOut, type Mined, type SmallBlock, type SmallChain, type Tx } from './small-chain.ts'
import { coin } from './small-coin.ts'
import { type Account, Draft } from './small-state.ts'

/** What a node's pool keeps of one account (geth, legacypool: `AccountSlots` and `AccountQueue`). */
const pooledMax = 16 + 64
/** A pool takes another one at a nonce for a tenth more of both fees (geth, `PriceBump`). */
const bumpedPercent = 110n
const tipUsual = 1_000_000_000n

/**
 * A stand-in for a node: a pool of its own, and a chain that it may not have read to its end. As anvil's,
 * its pool takes as many of an account that runs code (EIP-7702) as of any: geth's takes one at a time.
 */
export class SmallNode {
  private readonly chain: SmallChain
  readonly pool = new Map<string, Map<number, Tx>>()
  /** Blocks at the chain's end that it has not read. */
  lag = 0
  /** Whatever was ever handed to it, taken or not. */
  readonly seen: (tx: Tx) => void

  constructor(chain: SmallChain, seen: (tx: Tx) => void = () => undefined) {
    this.chain = chain
    this.seen = seen
  }

  readonly rpc: Rpc = async (method, params) => {
    const answer = answers[method]
    if (answer === undefined) throw refused(`the method ${method} does not exist`)
    return answer(this, params)
  }

  get head(): SmallBlock {
    const { blocks } = this.chain
    return blocks[Math.max(blocks.length - 1 - this.lag, 0)] ?? this.chain.head
  }

  block(at: unknown): SmallBlock | undefined {
    if (at === 'latest' || at === 'pending') return this.head
    const number = Number(at)
    return number <= this.head.number ? this.chain.blocks[number] : undefined
  }

  /** @throws Failure `chain.refused` for a block that it does not have */
  blockAt(at: unknown): SmallBlock {
    const block =
      typeof at === 'object' && at !== null && 'blockHash' in at
        ? this.chain.blocks.find(({ hash }) => hash === at.blockHash)
        : this.block(at)
    if (block === undefined || block.number > this.head.number) throw refused('header not found')
    return block
  }

  /** @throws Failure `chain.refused` for a block that it does not have */
  account(address: unknown, at: unknown): Account {
    return this.chain.accountAt(String(address).toLowerCase(), this.blockAt(at).number)
  }

  pending(address: unknown): number {
    const own = this.pool.get(String(address).toLowerCase())
    let { nonce } = this.account(address, 'latest')
    while (own?.has(nonce)) nonce++
    return nonce
  }

  place(hash: unknown) {
    const found = this.chain.place(String(hash))
    return found !== undefined && found.block.number <= this.head.number ? found : undefined
  }

  pooled(hash: unknown): Tx | undefined {
    for (const own of this.pool.values())
      for (const tx of own.values()) if (tx.hash === hash) return tx
    return undefined
  }

  /** @throws Failure `chain.refused` in the words of geth */
  add(raw: string): string {
    const tx = this.chain.read(raw)
    if (tx === undefined) throw refused('invalid transaction')
    this.seen(tx)
    this.take(tx)
    return tx.hash
  }

  take(tx: Tx): void {
    const own = this.pool.get(tx.from) ?? new Map<number, Tx>()
    const present = own.get(tx.nonce)
    const { nonce, balance } = this.account(tx.from, 'latest')
    if (present?.hash === tx.hash) throw refused('already known')
    if (tx.nonce < nonce) throw refused('nonce too low')
    if (balance < tx.value + tx.gas * tx.maxFee)
      throw refused('insufficient funds for gas * price + value')
    if (present !== undefined && !outbids(tx, present))
      throw refused('replacement transaction underpriced')
    if (own.size >= pooledMax) throw refused('account limit exceeded')
    own.set(tx.nonce, tx)
    this.pool.set(tx.from, own)
  }

  drop({ from, nonce }: Tx): void {
    const own = this.pool.get(from)
    own?.delete(nonce)
    if (own?.size === 0) this.pool.delete(from)
  }

  /** What blocks have made pointless. */
  forget(): void {
    for (const own of this.pool.values())
      for (const tx of own.values()) if (tx.nonce < this.chain.account(tx.from).nonce) this.drop(tx)
  }
}

function outbids(tx: Tx, present: Tx): boolean {
  const least = (price: bigint) => (price * bumpedPercent) / 100n
  return tx.maxFee >= least(present.maxFee) && tx.tip >= least(present.tip)
}

type Answer = (node: SmallNode, params: readonly unknown[]) => unknown
const answers: Readonly<Record<string, Answer>> = {
  eth_chainId: (node) => hexOf(node['chain'].chainId),
  eth_blockNumber: (node) => hexOf(node.head.number),
  eth_gasPrice: (node) => hexOf(node.head.baseFee + tipUsual),
  eth_getCode: (node, [address, at]) => codeOf(node, String(address).toLowerCase(), at),
  eth_call: (node, [call, at]) => called(node, call, at).output,
  eth_getTransactionCount: (node, [address, at]) =>
    hexOf(at === 'pending' ? node.pending(address) : node.account(address, at).nonce),
  eth_getBalance: (node, [address, at]) => hexOf(node.account(address, at).balance),
  eth_estimateGas: (node, [call]) => {
    const { from, value = '0x0' } = Object(call) as { from: string; value?: string }
    if (node.account(from, 'latest').balance < BigInt(value))
      throw refused('insufficient funds for gas * price + value')
    return hexOf(called(node, call, 'latest').gasNeeded)
  },
  eth_feeHistory: (node, [count]) => feeHistory(node, Number(count)),
  eth_sendRawTransaction: (node, [raw]) => node.add(String(raw)),
  eth_getTransactionByHash: (node, [hash]) => {
    const place = node.place(hash)
    if (place !== undefined) return transactionOf(place)
    const waiting = node.pooled(hash)
    return waiting === undefined
      ? null
      : { ...fieldsOf(waiting), blockHash: null, blockNumber: null }
  },
  eth_getTransactionReceipt: (node, [hash]) => {
    const place = node.place(hash)
    if (place === undefined) return null
    const { block, tx, index } = place
    return {
      ...{ transactionHash: tx.hash, blockHash: block.hash, blockNumber: hexOf(block.number) },
      ...{ transactionIndex: hexOf(index), from: tx.from, to: tx.to, logs: logsOf(place) },
      ...{ status: hexOf(tx.succeeded ? 1 : 0), gasUsed: hexOf(tx.gasUsed) },
      effectiveGasPrice: hexOf(tx.price),
    }
  },
  eth_getBlockByNumber: (node, [at, isWhole]) => {
    const block = node.block(at)
    if (block === undefined) return null
    const { number, hash, parentHash, timestamp, transactions } = block
    const whole = () => transactions.map((tx, index) => transactionOf({ block, tx, index }))
    return {
      ...{ number: hexOf(number), hash, parentHash, timestamp: hexOf(timestamp) },
      transactions: isWhole === true ? whole() : transactions.map((tx) => tx.hash),
    }
  },
}

/** EIP-7702, "Delegation designation". */
const designation = '0xef0100'

function codeOf(node: SmallNode, address: string, at: unknown): string {
  if (address === coin.address) return coin.code
  if (address === smallAccount.address) return smallAccount.code
  const { delegate } = node.account(address, at)
  return delegate === undefined ? '0x' : `${designation}${delegate.slice(2)}`
}

/** As JSON-RPC has it: numbers in hex. */
type Called = {
  readonly from?: string
  readonly to: string
  readonly data?: string
  readonly value?: string
  readonly authorizationList?: readonly Readonly<Record<keyof Signed, Hex>>[]
}
/** More than a block holds: whoever asks what something takes does not know. */
const gasOfQuestion = 100_000_000n

/**
 * Tries it out on the accounts as they were at a block.
 * @throws Failure `chain.refused` in the words of geth
 */
function called(
  node: SmallNode,
  call: unknown,
  at: unknown,
): { readonly gasNeeded: bigint; readonly output: string } {
  const { from = noAddress, to, data = '0x', value = '0x0', ...more } = Object(call) as Called
  const { chainId } = node['chain']
  const signed = (more.authorizationList ?? []).map(({ chainId: on, nonce, yParity, ...rest }) => {
    return { ...rest, chainId: Number(on), nonce: Number(nonce), yParity: Number(yParity) }
  })
  const asked = {
    ...{ from: from.toLowerCase(), to: to.toLowerCase(), value: BigInt(value), data },
    ...{ gas: gasOfQuestion, authorizations: readAuthorizations(signed, chainId) },
  }
  const draft = new Draft((address) => node.account(address, at))
  const { timestamp } = node.blockAt(at)
  const { gasNeeded, outcome } = carryOut(asked, draft, { chainId, timestamp })
  if (!outcome.ok) throw refused('execution reverted', revertedCode)
  return { gasNeeded, output: outcome.output }
}

/** Who asks if nobody says so. */
const noAddress = `0x${'00'.repeat(20)}`

/** A log has its number in the block, whatever transactions those before it are of. */
function logsOf({ block, tx, index }: { block: SmallBlock; tx: Mined; index: number }): object[] {
  const before = block.transactions.slice(0, index).reduce((sum, { logs }) => sum + logs.length, 0)
  return tx.logs.map((log, i) => ({
    ...{ ...log, transactionHash: tx.hash, transactionIndex: hexOf(index) },
    ...{ blockHash: block.hash, blockNumber: hexOf(block.number), logIndex: hexOf(before + i) },
  }))
}

function feeHistory(node: SmallNode, count: number): object {
  const { number, baseFee } = node.head
  const oldest = Math.max(number - count + 1, 0)
  const heights = Array.from({ length: number - oldest + 1 }, (_, i) => oldest + i)
  const fees = heights.map((height) => hexOf(node.block(height)?.baseFee ?? baseFee))
  const reward = heights.map(() => [tipUsual / 2n, tipUsual, tipUsual * 2n].map(hexOf))
  return { oldestBlock: hexOf(oldest), baseFeePerGas: [...fees, hexOf(baseFee)], reward }
}

function transactionOf({ block, tx, index }: { block: SmallBlock; tx: Tx; index: number }): object {
  const { hash: blockHash, number } = block
  const placed = { blockHash, blockNumber: hexOf(number), transactionIndex: hexOf(index) }
  return { ...fieldsOf(tx), ...placed }
}

function fieldsOf({ hash, from, to, value, data: input, nonce, ...more }: Tx): object {
  const { raw, authorizations } = more
  const signed = authorizations === undefined ? {} : { authorizationList: authorizationsIn(raw) }
  return { hash, from, to, value: hexOf(value), input, nonce: hexOf(nonce), ...signed }
}

function authorizationsIn(raw: string): readonly object[] {
  const { authorizationList = [] } = parseTransaction(raw as Hex)
  return authorizationList.map(({ chainId, nonce, yParity, ...rest }) => {
    return { ...rest, chainId: hexOf(chainId), nonce: hexOf(nonce), yParity: hexOf(yParity ?? 0) }
  })
}

function hexOf(value: bigint | number): string {
  return `0x${value.toString(16)}`
}

/** Geth's and anvil's codes: one for what a contract refuses, and one for all else. */
const [revertedCode, otherCode] = [3, -32_000]

function refused(reason: string, code = otherCode): Failure<'chain.refused'> {
  return new Failure('chain.refused', { network: 'small', reason, code })
}
