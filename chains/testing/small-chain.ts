import { createHash } from 'node:crypto'
import libsecp256k1 from 'secp256k1/bindings.js'
import {
  hexToBytes,
  keccak256,
  parseTransaction,
  serializeTransaction,
  type Hex,
  type TransactionSerialized,
} from 'viem'
import { coin, type Log, runCoin } from './small-coin.ts'

/**
 * A stand-in for a chain, small enough that a million payments pass through it: accounts, blocks,
 * receipts and reorganizations of plain payments and of those in one coin (`small-coin.ts`). What
 * nodes say of it is `small-node.ts`.
 */
export type Tx = {
  readonly hash: string
  readonly raw: string
  /** In lower case, as all addresses here. */
  readonly from: string
  readonly to: string
  readonly value: bigint
  readonly data: string
  readonly nonce: number
  readonly gas: bigint
  readonly maxFee: bigint
  readonly tip: bigint
}
/** What has come of it: one that fails pays nobody, and costs its sender a nonce and a fee all the same. */
export type Mined = Tx & {
  readonly price: bigint
  readonly succeeded: boolean
  readonly gasUsed: bigint
  readonly logs: readonly Log[]
}
export type SmallBlock = {
  readonly number: number
  readonly hash: string
  readonly parentHash: string
  readonly timestamp: number
  readonly baseFee: bigint
  readonly transactions: readonly Mined[]
  /** What the accounts that it changed were before it. */
  readonly before: ReadonlyMap<string, Account>
}
export type Account = {
  readonly nonce: number
  readonly balance: bigint
  /** Units of the coin. */
  readonly units: bigint
}
export type Place = { readonly block: SmallBlock; readonly tx: Mined; readonly index: number }

const nobody: Account = { nonce: 0, balance: 0n, units: 0n }
export const gasOfPayment = 21_000n
const blockHashOf = (...parts: readonly (string | number)[]) =>
  `0x${createHash('sha256').update(parts.join(' ')).digest('hex')}`

type Moved = {
  readonly value: bigint
  readonly units: { readonly to: string; readonly amount: bigint }
}

export class SmallChain {
  readonly chainId: number
  readonly blocks: SmallBlock[]
  private readonly accounts = new Map<string, Account>()
  private readonly places = new Map<string, Place>()
  private readonly known = new Map<string, Tx>()
  private made = 0
  /** The highest block there ever was: what it has settled stays. */
  highest = 0

  constructor(chainId: number, timestamp: number) {
    this.chainId = chainId
    const none = { transactions: [], before: new Map<string, Account>() }
    const parentHash = blockHashOf('nothing')
    const hash = blockHashOf('genesis', chainId)
    this.blocks = [{ ...none, number: 0, hash, parentHash, timestamp, baseFee: 1_000_000_000n }]
  }

  get head(): SmallBlock {
    const head = this.blocks.at(-1)
    if (head === undefined) throw new TypeError('a chain has its first block')
    return head
  }

  /** The same bytes come again, and to other nodes. @returns nothing if they are no signed payment of it */
  read(raw: string): Tx | undefined {
    const tx = this.known.get(raw) ?? readTx(raw, this.chainId)
    if (tx !== undefined) this.known.set(raw, tx)
    return tx
  }

  place(hash: string): Place | undefined {
    return this.places.get(hash)
  }

  account(address: string): Account {
    return this.accounts.get(address) ?? nobody
  }

  /** As it was after this block. */
  accountAt(address: string, number: number): Account {
    for (let i = number + 1; i < this.blocks.length; i++) {
      const before = this.blocks[i]?.before.get(address)
      if (before !== undefined) return before
    }
    return this.account(address)
  }

  /** As a node's own command gives it: it stands in no block. */
  endow(address: string, has: Partial<Pick<Account, 'balance' | 'units'>>): void {
    this.accounts.set(address, { ...this.account(address), ...has })
  }

  /** @param offered in the order in which they are tried; what does not fit is left out */
  mine(offered: Iterable<Tx>, made: { readonly timestamp: number; readonly baseFee: bigint }) {
    const before = new Map<string, Account>()
    const set = (address: string, next: Account) => {
      if (!before.has(address)) before.set(address, this.account(address))
      this.accounts.set(address, next)
    }
    const transactions: Mined[] = []
    for (const tx of offered) {
      const sender = this.account(tx.from)
      if (tx.nonce !== sender.nonce || tx.maxFee < made.baseFee) continue
      if (sender.balance < tx.value + tx.gas * tx.maxFee) continue
      const offer = made.baseFee + tx.tip
      const price = offer < tx.maxFee ? offer : tx.maxFee
      const { succeeded, gasUsed, logs, value, units } = this.run(tx)
      const balance = sender.balance - value - gasUsed * price
      set(tx.from, { nonce: sender.nonce + 1, balance, units: sender.units - units.amount })
      const recipient = this.account(tx.to)
      set(tx.to, { ...recipient, balance: recipient.balance + value })
      const holder = this.account(units.to)
      set(units.to, { ...holder, units: holder.units + units.amount })
      transactions.push({ ...tx, price, succeeded, gasUsed, logs })
    }
    const { number, hash: parentHash } = this.head
    const hash = blockHashOf(parentHash, number + 1, (this.made += 1))
    const block = { number: number + 1, hash, parentHash, ...made, transactions, before }
    this.blocks.push(block)
    this.highest = Math.max(this.highest, block.number)
    for (const [index, tx] of transactions.entries()) this.places.set(tx.hash, { block, tx, index })
    return block
  }

  /** What a transaction would do next: how much of what goes to whom. */
  private run(tx: Tx): Omit<Mined, keyof Tx | 'price'> & Moved {
    const none = { to: tx.to, amount: 0n }
    if (tx.to !== coin.address)
      return {
        ...{ succeeded: true, gasUsed: gasOfPayment, logs: [] },
        value: tx.value,
        units: none,
      }
    const ran = runCoin(tx, (holder) => this.account(holder).units)
    const failed = { succeeded: false, logs: [], value: 0n, units: none }
    // Whatever comes to the end of its gas fails, and has used it all.
    if (ran.gasUsed > tx.gas) return { ...failed, gasUsed: tx.gas }
    if (!ran.ok) return { ...failed, gasUsed: ran.gasUsed }
    const { gasUsed, logs, moved = none } = ran
    return { succeeded: true, gasUsed, logs, value: 0n, units: moved }
  }

  /** Takes the newest block off. @returns what was in it */
  unmine(): readonly Tx[] {
    const gone = this.blocks.pop()
    if (gone === undefined || this.blocks.length === 0) throw new TypeError('nothing is before it')
    for (const [address, account] of gone.before) this.accounts.set(address, account)
    for (const { hash } of gone.transactions) this.places.delete(hash)
    return gone.transactions
  }
}

function readTx(raw: string, chainId: number): Tx | undefined {
  const parsed = parsedOf(raw)
  if (parsed === undefined) return undefined
  const { r, s, yParity, v, ...unsigned } = parsed
  if (r === undefined || s === undefined || parsed.chainId !== chainId) return undefined
  const recid = yParity ?? (v === undefined ? 0 : Number((v - 35n) & 1n))
  const from = senderOf(serializeTransaction(unsigned), { r, s, recid })
  if (from === undefined) return undefined
  const { nonce = 0, value = 0n, gas = 0n, to, data = '0x' } = parsed
  const price = parsed.type === 'legacy' || parsed.type === 'eip2930' ? parsed.gasPrice : undefined
  const market = parsed.type === 'eip1559' ? parsed : undefined
  const maxFee = market?.maxFeePerGas ?? price
  const tip = market?.maxPriorityFeePerGas ?? price
  if (typeof to !== 'string' || maxFee === undefined || tip === undefined) return undefined
  const sent = { from, to: to.toLowerCase(), value, data, nonce, gas, maxFee, tip }
  return { ...sent, raw, hash: keccak256(raw as Hex) }
}

function parsedOf(raw: string) {
  try {
    return parseTransaction(raw as TransactionSerialized)
  } catch {
    // Whatever viem makes of them, they are no transaction: a node says no more than that.
    return undefined
  }
}

function senderOf(
  unsigned: Hex,
  { r, s, recid }: { readonly r: Hex; readonly s: Hex; readonly recid: number },
): string | undefined {
  const digest = keccak256(unsigned, 'bytes')
  const signature = hexToBytes(`0x${r.slice(2).padStart(64, '0')}${s.slice(2).padStart(64, '0')}`)
  const point = recovered(signature, recid, digest)
  // Of the point without its first byte, the last twenty bytes (Yellow Paper, section 4.3.1).
  return point && `0x${keccak256(point.subarray(1)).slice(-40)}`
}

function recovered(
  signature: Uint8Array,
  recid: number,
  digest: Uint8Array,
): Uint8Array | undefined {
  try {
    return libsecp256k1.ecdsaRecover(signature, recid, digest, false)
  } catch {
    // Nobody has signed it.
    return undefined
  }
}
