import { isFailure } from '@quorate/core/failure'
import type { Block, BlockTransaction, HeadChange, Header, Rpc } from '../adapter.ts'
import {
  readAccount,
  readBytes,
  readFields,
  readHash,
  readList,
  readPayment,
  readQuantity,
  unreadable,
} from './answer.ts'
import { inPieces } from './pieces.ts'

/** Read in one go: a few seconds' work, after which the caller writes down how far it came. */
const blocksPerCallMax = 32
/** And no block more once there are so many: some hundred bytes of memory each. */
const transactionsPerCallMax = 5_000

/** @param at a number, or the newest block. Undefined when there is none there yet. */
export async function findHeader(rpc: Rpc, at: bigint | 'latest'): Promise<Header | undefined> {
  const block = await rpc('eth_getBlockByNumber', [blockTag(at), false])
  return block === null || block === undefined ? undefined : readHeader(readFields(block))
}

/**
 * With its transactions. One answer is one block: it never mixes two forks. One that is too long for
 * an answer is read in pieces, each by the block's own hash.
 */
export async function findBlock(rpc: Rpc, at: bigint | 'latest'): Promise<Block | undefined> {
  const answer = await wholeBlock(rpc, at)
  if (answer === null || answer === undefined) return undefined
  const block = readFields(answer)
  const header = readHeader(block)
  const listed = readList(block['transactions']).map((one, i) => ({ one, i }))
  const transactions = await inPieces(listed, async ({ one, i }) =>
    typeof one === 'string'
      ? transactionIn(rpc, header.hash, { hash: readHash(one), i })
      : readTransaction(one),
  )
  const { logsBloom } = block
  const bloom = typeof logsBloom === 'string' ? { logsBloom: readBytes(logsBloom) } : {}
  return { ...header, transactions, ...bloom }
}

async function wholeBlock(rpc: Rpc, at: bigint | 'latest'): Promise<unknown> {
  try {
    return await rpc('eth_getBlockByNumber', [blockTag(at), true])
  } catch (error) {
    if (!isFailure(error, 'chain.refused')) throw error
    return rpc('eth_getBlockByNumber', [blockTag(at), false])
  }
}

async function transactionIn(
  rpc: Rpc,
  blockHash: string,
  { hash, i }: { readonly hash: string; readonly i: number },
): Promise<BlockTransaction> {
  const params = [blockHash, `0x${i.toString(16)}`]
  const answer = await rpc('eth_getTransactionByBlockHashAndIndex', params)
  const transaction = readTransaction(answer)
  if (transaction.hash !== hash) throw unreadable('the transaction asked for')
  return transaction
}

/**
 * What became of the chain since `held`, contiguous headers with the newest last. A new head is the
 * same, the next, further on, or on another branch (the four cases as Ponder tells them apart); two
 * more end the following: `too-deep` and `younger`.
 *
 * Blocks are asked for by number and linked by hash, so that a chain which moves meanwhile yields a
 * shorter answer, never a wrong one.
 */
export async function advance(rpc: Rpc, held: readonly Header[]): Promise<HeadChange> {
  const head = await findHeader(rpc, 'latest')
  if (head === undefined) throw unreadable('its newest block')
  const [first] = held
  const tip = held.at(-1)
  if (first === undefined || tip === undefined) return startAt(rpc, head.number)
  // A head that we hold already, below our tip, is a node that lags: a real reorganization shows
  // another block at that height soon enough.
  if (held.some(({ hash }) => hash === head.hash)) return { kind: 'same' }
  if (head.number < first.number) return { kind: 'younger', head: head.number, held: first.number }

  const orphaned = head.parentHash === tip.hash ? [] : await findOrphaned(rpc, held)
  const base = held.at(-1 - orphaned.length)
  if (base === undefined) return { kind: 'too-deep' }
  const added = await readOn(rpc, base, head.number)
  return orphaned.length + added.length === 0
    ? { kind: 'same' }
    : { kind: 'moved', orphaned, added }
}

async function startAt(rpc: Rpc, number: bigint): Promise<HeadChange> {
  const block = await findBlock(rpc, number)
  return block === undefined ? { kind: 'same' } : { kind: 'moved', orphaned: [], added: [block] }
}

/** The held headers that are no longer on the chain, newest first. */
async function findOrphaned(rpc: Rpc, held: readonly Header[]): Promise<readonly Header[]> {
  const orphaned: Header[] = []
  for (const header of held.toReversed()) {
    const there = await findHeader(rpc, header.number)
    if (there?.hash === header.hash) break
    orphaned.push(header)
  }
  return orphaned
}

async function readOn(rpc: Rpc, base: Header, last: bigint): Promise<readonly Block[]> {
  const added: Block[] = []
  let parent = base
  let transactions = 0
  while (
    parent.number < last &&
    added.length < blocksPerCallMax &&
    transactions < transactionsPerCallMax
  ) {
    const block = await findBlock(rpc, parent.number + 1n)
    if (block?.parentHash !== parent.hash) break
    added.push(block)
    transactions += block.transactions.length
    parent = block
  }
  return added
}

function readHeader(block: Readonly<Record<string, unknown>>): Header {
  return {
    number: readQuantity(block['number']),
    hash: readHash(block['hash']),
    parentHash: readHash(block['parentHash']),
    timestamp: readQuantity(block['timestamp']),
  }
}

function readTransaction(answer: unknown): BlockTransaction {
  const tx = readFields(answer)
  return {
    hash: readHash(tx['hash']),
    index: Number(readQuantity(tx['transactionIndex'])),
    from: readAccount(tx['from']),
    ...readPayment(tx),
  }
}

function blockTag(at: bigint | 'latest'): string {
  return at === 'latest' ? at : `0x${at.toString(16)}`
}
