import type { Priority, Rpc } from '../adapter.ts'
import { readFields, readList, readQuantity } from './answer.ts'

export type FeeQuote = { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }

/**
 * How far the base fee may rise before a transaction has to wait, in percent. It changes by at most
 * an eighth per block (EIP-1559): these stand for about two, six and eight full blocks on end.
 */
const headroomPercent: Readonly<Record<Priority, bigint>> = {
  Slow: 125n,
  Standard: 200n,
  Fast: 256n,
}

/** Whose tips of the last blocks to follow: percentiles of what was paid, by gas. */
const tipPercentile: Readonly<Record<Priority, number>> = { Slow: 10, Standard: 50, Fast: 90 }

/** Two minutes of Ethereum: long enough to even out one odd block. */
const blocksLooked = 10

/** Where blocks are empty nobody pays a tip, yet many producers want some. */
const tipUnknown = 100_000_000n
/** What Geth puts into its blocks if nothing is said (`miner.gasprice`), and so usual where hardly any is wanted. */
const tipMin = 1_000_000n

export type Fees = {
  /** The newest block that these rest on. */
  readonly blockNumber: bigint
  /** Of the block after it (EIP-1559 fixes it). */
  readonly baseFeePerGas: bigint
  readonly quotes: Readonly<Record<Priority, FeeQuote>>
}

const priorities = ['Slow', 'Standard', 'Fast'] as const

export async function readFees(rpc: Rpc): Promise<Fees> {
  const percentiles = priorities.map((priority) => tipPercentile[priority])
  const asked = [`0x${blocksLooked.toString(16)}`, 'latest', percentiles]
  const history = readFields(await rpc('eth_feeHistory', asked))
  const baseFees = readList(history['baseFeePerGas']).map(readQuantity)
  // One for each block, and one for the block that comes.
  const blockNumber = readQuantity(history['oldestBlock']) + BigInt(baseFees.length) - 2n
  const baseFeePerGas = baseFees.at(-1) ?? 0n
  const rewards = readList(history['reward'] ?? []).map(readList)
  const tips = tipsOf(rewards.map((row) => row.map(readQuantity)))
  const quoteOf = (priority: Priority): FeeQuote => {
    const maxPriorityFeePerGas = tips[priority]
    const headroom = (baseFeePerGas * headroomPercent[priority]) / 100n
    return { maxFeePerGas: headroom + maxPriorityFeePerGas, maxPriorityFeePerGas }
  }
  const [Slow, Standard, Fast] = [quoteOf('Slow'), quoteOf('Standard'), quoteOf('Fast')]
  return { blockNumber, baseFeePerGas, quotes: { Slow, Standard, Fast } }
}

/** Those that are paid, blocks in which none is left out; who is patient offers no more than who is not. */
function tipsOf(rewards: readonly (readonly bigint[])[]): Readonly<Record<Priority, bigint>> {
  const paid = (at: number) =>
    median(rewards.flatMap((row) => row.slice(at, at + 1)).filter(isPaid))
  const Fast = paid(2) ?? tipUnknown
  const Standard = least(paid(1) ?? Fast, Fast)
  const Slow = least(paid(0) ?? Standard, Standard)
  return { Slow: most(Slow, tipMin), Standard: most(Standard, tipMin), Fast: most(Fast, tipMin) }
}

function isPaid(tip: bigint): boolean {
  return tip > 0n
}

export async function quoteFees(rpc: Rpc, priority: Priority): Promise<FeeQuote> {
  return (await readFees(rpc)).quotes[priority]
}

/** For type 0, where one price covers base fee and tip. */
export async function quoteGasPrice(rpc: Rpc, priority: Priority): Promise<bigint> {
  const price = readQuantity(await rpc('eth_gasPrice', []))
  return (price * headroomPercent[priority]) / 100n
}

function median(values: readonly bigint[]): bigint | undefined {
  const sorted = [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return sorted[sorted.length >> 1]
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function most(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
