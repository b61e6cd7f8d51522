import { toHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import type { Block, BlockLogs, Rpc, Token, TokenLog } from '../adapter.ts'
import {
  readAccount,
  readBytes,
  readFields,
  readHash,
  readList,
  readQuantity,
  unreadable,
} from './answer.ts'
import { coversBloom } from './bloom.ts'
import { inPieces } from './pieces.ts'

/** The hashes of their signatures. ERC-20 and ERC-721 share the first, and differ in what is indexed. */
const transfer = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'
const transferSingle = '0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62'
const transferBatch = '0x4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb'

type Log = {
  readonly address: string
  readonly topics: readonly `0x${string}`[]
  readonly data: Uint8Array
  readonly hash: string
  readonly transactionIndex: number
  readonly logIndex: number
}
/** What a log says, but not where it stands. */
type Movement = Token & Pick<TokenLog, 'from' | 'to' | 'value'>

/**
 * Every movement of tokens in a block: its logs are read once, by its hash, and matched with
 * addresses by whoever asked, so that the number of addresses costs the node nothing.
 *
 * Contracts from before the standards, which index nothing, are not understood.
 *
 * @throws Failure `chain.refused` for logs that are not all of the block's: ask again, or another node
 */
export async function tokenLogs(rpc: Rpc, block: Block): Promise<BlockLogs> {
  const { logs, ...about } = await readLogs(rpc, block)
  return {
    ...about,
    logs: logs.flatMap((log) => {
      const { hash, transactionIndex, logIndex } = log
      return movementsOf(log).map((movement, position) => ({
        ...{ ...movement, hash, transactionIndex, logIndex, position },
      }))
    }),
  }
}

type Read = Omit<BlockLogs, 'logs'> & { readonly logs: readonly Log[] }

async function readLogs(rpc: Rpc, block: Block): Promise<Read> {
  const listed = await listLogs(rpc, block)
  if (listed !== undefined) return whole(block, listed)
  const { logs, unread } = await listLogsOneByOne(rpc, block)
  return unread.size === 0 ? whole(block, logs) : readMovements(rpc, block, { logs, unread })
}

function whole(block: Block, logs: readonly Log[]): Read {
  if (block.logsBloom !== undefined && !coversBloom(block.logsBloom, logs))
    throw unreadable('all logs of the block')
  return { logs, unread: new Set(), isWhole: true }
}

/** @returns nothing where the node refuses to list as many at once */
async function listLogs(
  rpc: Rpc,
  block: Block,
  topics?: Topics,
): Promise<readonly Log[] | undefined> {
  const asked = { blockHash: block.hash, ...(topics === undefined ? {} : { topics }) }
  const answer = await unlessRefused(rpc('eth_getLogs', [asked]))
  return answer === undefined ? undefined : readList(answer).map((log) => readLog(block, log))
}

type Told = { readonly logs: readonly Log[]; readonly unread: ReadonlySet<string> }

async function listLogsOneByOne(rpc: Rpc, block: Block): Promise<Told> {
  const unread = new Set<string>()
  const lists = await inPieces(block.transactions, async ({ hash }) => {
    const receipt = await unlessRefused(rpc('eth_getTransactionReceipt', [hash]))
    if (receipt === undefined) unread.add(hash)
    return receipt === undefined ? [] : readList(readFields(receipt)['logs'])
  })
  return { logs: lists.flat().map((log) => readLog(block, log)), unread }
}

/** @returns nothing where the node refuses it, if only for its length */
async function unlessRefused(asked: Promise<unknown>): Promise<unknown> {
  try {
    return (await asked) ?? null
  } catch (error) {
    if (isFailure(error, 'chain.refused')) return undefined
    throw error
  }
}

type Topics = readonly (readonly string[] | null)[]

/** What is read of a block, each by itself: whoever writes too much of one hides none of another. */
const read: readonly { readonly signature: string; readonly topics: Topics }[] = [
  { signature: transfer, topics: [[transfer], null, null] },
  { signature: transferSingle, topics: [[transferSingle], null, null, null] },
  { signature: transferBatch, topics: [[transferBatch], null, null, null] },
]

/**
 * Of transactions whose receipts are too long, what the node lists of movements alone. There is no
 * bloom of these, but an index that lags also lacks what the other receipts have.
 */
async function readMovements(rpc: Rpc, block: Block, { logs, unread }: Told): Promise<Read> {
  const lists = await Promise.all(
    read.map(async ({ signature, topics }) => {
      const listed = await listLogs(rpc, block, topics)
      const places = new Set(listed?.map(({ logIndex }) => logIndex))
      const isLacking = (log: Log) =>
        log.topics[0] === signature && movementsOf(log).length > 0 && !places.has(log.logIndex)
      if (listed !== undefined && logs.some(isLacking)) throw unreadable('all logs of the block')
      return listed?.filter(({ hash }) => unread.has(hash))
    }),
  )
  const isWhole = lists.every((listed) => listed !== undefined)
  if (!isWhole) await checkLogs(rpc, block)
  return { logs: [...logs, ...lists.flatMap((listed) => listed ?? [])], unread, isWhole }
}

/**
 * Does the node list any logs of this block? A contract cannot know the hash of its own block, so
 * that the answer is empty, whatever anybody has written.
 * @throws Failure `chain.refused` if it does not: it refuses us, and not what is too long
 */
async function checkLogs(rpc: Rpc, block: Block): Promise<void> {
  const topics = [[block.hash]]
  if ((await listLogs(rpc, block, topics)) === undefined) throw unreadable('any logs of the block')
}

function readLog(block: Block, answer: unknown): Log {
  const log = readFields(answer)
  if (readHash(log['blockHash']) !== block.hash) throw unreadable('logs of the block asked about')
  return {
    address: readAccount(log['address']),
    topics: readList(log['topics']).map(readHash),
    data: readBytes(log['data']),
    hash: readHash(log['transactionHash']),
    transactionIndex: Number(readQuantity(log['transactionIndex'])),
    logIndex: Number(readQuantity(log['logIndex'])),
  }
}

/** Nothing from what has another form: contracts write what they like, and none may stop us. */
function movementsOf({ address: contract, topics, data }: Log): readonly Movement[] {
  const [signature, ...indexed] = topics
  // Operators move what is of others: who they are says nothing about the movement.
  const accounts = (signature === transfer ? indexed : indexed.slice(1)).slice(0, 2).map(accountOf)
  const [from, to] = accounts
  if (from === undefined || to === undefined) return []
  const words = wordsOf(data)
  if (signature === transfer) return transferOf({ contract, from, to }, indexed.slice(2), words)
  if (indexed.length !== 3) return []
  const [tokenId, value] = words
  if (signature === transferSingle && words.length === 2 && tokenId !== undefined)
    return [{ kind: 'Erc1155', contract, from, to, tokenId, value: value ?? 0n }]
  if (signature !== transferBatch) return []
  const [ids, values] = [listAt(words, 0), listAt(words, 1)]
  if (ids?.length !== values?.length) return []
  return (ids ?? []).map((tokenId, i) => ({
    ...{ kind: 'Erc1155', contract, from, to, tokenId, value: values?.[i] ?? 0n },
  }))
}

function transferOf(
  movement: { readonly contract: string; readonly from: string; readonly to: string },
  [piece, ...more]: readonly `0x${string}`[],
  words: readonly bigint[],
): readonly Movement[] {
  const [value] = words
  if (piece === undefined && value !== undefined && words.length === 1)
    return [{ kind: 'Erc20', ...movement, value }]
  if (piece === undefined || more.length > 0 || words.length > 0) return []
  return [{ kind: 'Erc721', ...movement, tokenId: BigInt(piece), value: 1n }]
}

/** An address in a word has twelve zeroes before it; whatever else is there is none. */
function accountOf(topic: `0x${string}`): string | undefined {
  return /^0x0{24}/.test(topic) ? readAccount(`0x${topic.slice(26)}`) : undefined
}

function wordsOf(data: Uint8Array): readonly bigint[] {
  const text = toHex(data)
  return Array.from({ length: text.length >> 6 }, (_, i) =>
    BigInt(`0x${text.slice(64 * i, 64 * i + 64)}`),
  )
}

/** A list of the ABI: its offset in bytes stands at `at`, its length where that points. */
function listAt(words: readonly bigint[], at: number): readonly bigint[] | undefined {
  const offset = words[at]
  if (offset === undefined || offset % 32n !== 0n || offset > BigInt(words.length * 32))
    return undefined
  const start = Number(offset / 32n)
  const length = words[start]
  if (length === undefined || length > BigInt(words.length - start - 1)) return undefined
  return words.slice(start + 1, start + 1 + Number(length))
}
