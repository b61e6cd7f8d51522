import { createHash } from 'node:crypto'
import { toHex } from '@quorate/core/bytes'
import {
  keccak256,
  parseTransaction,
  serializeTransaction,
  type Hex,
  type TransactionSerialized,
} from 'viem'
import {
  type Authorization,
  authorize,
  gasOfAuthorization,
  readAuthorizations,
} from './small-authorization.ts'
import { gasOfPayment, perform } from './small-call.ts'
import { signerOf } from './small-signer.ts'
import { type Account, type Around, Draft, type Log, nobody, type Outcome } from './small-state.ts'

/**
 * A stand-in for a chain, small enough that a million payments pass through it: accounts, blocks,
 * receipts and reorganizations of plain payments, of those in one coin (`small-coin.ts`), and of those
 * whose fees somebody else pays (`small-account.ts`). What nodes say of it is `small-node.ts`.
 */
export type Tx = {
  readonly hash: string
  readonly raw: string
  /** What its sender has signed, in hex. */
  readonly digest: string
  /** In lower case, as all addresses here. */
  readonly from: string
  readonly to: string
  readonly value: bigint
  readonly data: string
  readonly nonce: number
  readonly gas: bigint
  readonly maxFee: bigint
  readonly tip: bigint
  /** Of type 4. */
  readonly authorizations?: readonly Authorization[]
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
export type Place = { readonly block: SmallBlock; readonly tx: Mined; readonly index: number }

/** So much of what was used may come back (EIP-3529). */
const refundedPart = 5n
const blockHashOf = (...parts: readonly (string | number)[]) =>
  `0x${createHash('sha256').update(parts.join(' ')).digest('hex')}`

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
      const ran = this.run(tx, made)
      if (ran === undefined) continue
      for (const [address, next] of ran.changed) set(address, next)
      transactions.push(ran.mined)
    }
    const { number, hash: parentHash } = this.head
    const hash = blockHashOf(parentHash, number + 1, (this.made += 1))
    const block = { number: number + 1, hash, parentHash, ...made, transactions, before }
    this.blocks.push(block)
    this.highest = Math.max(this.highest, block.number)
    for (const [index, tx] of transactions.entries()) this.places.set(tx.hash, { block, tx, index })
    return block
  }

  /** @returns nothing for what no block takes now */
  private run(
    tx: Tx,
    { timestamp, baseFee }: { readonly timestamp: number; readonly baseFee: bigint },
  ): { readonly mined: Mined; readonly changed: ReadonlyMap<string, Account> } | undefined {
    const { nonce, balance } = this.account(tx.from)
    if (tx.nonce !== nonce || tx.maxFee < baseFee) return undefined
    if (balance < tx.value + tx.gas * tx.maxFee) return undefined
    const offer = baseFee + tx.tip
    const price = offer < tx.maxFee ? offer : tx.maxFee
    const draft = new Draft((address) => this.account(address))
    draft.change(tx.from, { nonce: nonce + 1, balance: balance - tx.gas * price })
    const { gasUsed, outcome } = carryOut(tx, draft, { chainId: this.chainId, timestamp })
    const left = draft.account(tx.from).balance + (tx.gas - gasUsed) * price
    draft.change(tx.from, { balance: left })
    const [succeeded, logs] = outcome.ok ? [true, outcome.logs] : [false, []]
    return { mined: { ...tx, price, succeeded, gasUsed, logs }, changed: draft.changed }
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
  const signed = keccak256(serializeTransaction(unsigned), 'bytes')
  const from = signerOf(signed, { r, s, recid })
  if (from === undefined) return undefined
  const { nonce = 0, value = 0n, gas = 0n, to, data = '0x' } = parsed
  const price = parsed.type === 'legacy' || parsed.type === 'eip2930' ? parsed.gasPrice : undefined
  const market = parsed.type === 'eip1559' || parsed.type === 'eip7702' ? parsed : undefined
  const maxFee = market?.maxFeePerGas ?? price
  const tip = market?.maxPriorityFeePerGas ?? price
  if (typeof to !== 'string' || maxFee === undefined || tip === undefined) return undefined
  const sent = { from, to: to.toLowerCase(), value, data, nonce, gas, maxFee, tip }
  const tx = { ...sent, raw, digest: toHex(signed), hash: keccak256(raw as Hex) }
  if (parsed.type !== 'eip7702') return tx
  return { ...tx, authorizations: readAuthorizations(parsed.authorizationList ?? [], chainId) }
}

function parsedOf(raw: string) {
  try {
    return parseTransaction(raw as TransactionSerialized)
  } catch {
    // Whatever viem makes of them, they are no transaction: a node says no more than that.
    return undefined
  }
}

type Asked = Pick<Tx, 'from' | 'to' | 'value' | 'data' | 'authorizations'>
export type CarriedOut = {
  /** What it may not have less of; some of it may come back. */
  readonly gasNeeded: bigint
  readonly gasUsed: bigint
  readonly outcome: Outcome
}

/** Authorizations, whatever comes of the rest; and then all that it calls for, or nothing of it. */
export function carryOut(tx: Asked & Pick<Tx, 'gas'>, draft: Draft, around: Around): CarriedOut {
  const { gas, authorizations = [] } = tx
  const back = authorize(authorizations, draft)
  const attempt = new Draft(draft.account)
  const outcome = perform(tx, attempt, around)
  const ofAuthorizations = BigInt(authorizations.length) * gasOfAuthorization
  const gasNeeded = gasOfPayment + ofAuthorizations + outcome.gas
  const isEnough = gasNeeded <= gas
  if (outcome.ok && isEnough)
    for (const [address, account] of attempt.changed) draft.changed.set(address, account)
  // Whatever comes to the end of its gas fails, and has used it all.
  const used = isEnough ? gasNeeded : gas
  const backMax = used / refundedPart
  const gasUsed = used - (back < backMax ? back : backMax)
  return { gasNeeded, gasUsed, outcome: isEnough ? outcome : { ok: false, gas: outcome.gas } }
}
