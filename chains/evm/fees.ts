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
const tipMin = 100_000_000n

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
  const quoteOf = (at: number, priority: Priority): FeeQuote => {
    const tip = median(rewards.map((row) => readQuantity(row[at])).filter((each) => each > 0n))
    const maxPriorityFeePerGas = tip > tipMin ? tip : tipMin
    const headroom = (baseFeePerGas * headroomPercent[priority]) / 100n
    return { maxFeePerGas: headroom + maxPriorityFeePerGas, maxPriorityFeePerGas }
  }
  const [Slow, Standard, Fast] = [quoteOf(0, 'Slow'), quoteOf(1, 'Standard'), quoteOf(2, 'Fast')]
  return { blockNumber, baseFeePerGas, quotes: { Slow, Standard, Fast } }
}

export async function quoteFees(rpc: Rpc, priority: Priority): Promise<FeeQuote> {
  return (await readFees(rpc)).quotes[priority]
}

/** For type 0, where one price covers base fee and tip. */
export async function quoteGasPrice(rpc: Rpc, priority: Priority): Promise<bigint> {
  const price = readQuantity(await rpc('eth_gasPrice', []))
  return (price * headroomPercent[priority]) / 100n
}

function median(values: readonly bigint[]): bigint {
  const sorted = [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return sorted[sorted.length >> 1] ?? 0n
}
