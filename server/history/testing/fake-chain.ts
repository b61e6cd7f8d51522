import type { Network, Rpc } from '@quorate/chains/adapter'
import { Failure } from '@quorate/core/failure'

export type FakeChain = {
  readonly blocks: number
  /** In each block. */
  readonly transactions: number
  readonly logs: number
  /** Whom every so many transactions, and logs, are for. */
  readonly ours: readonly string[]
  readonly every: number
  /** No answer has more of anything; a request for more is refused, as nodes do it. */
  readonly listMax?: number
}

const transfer = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'
/** Each block has as many contracts. */
const contractsMax = 50

/** A fake node whose blocks are as large as a test wants them. It keeps no traces. */
export function fakeChain(network: Network, chain: FakeChain): Rpc {
  const { blocks, transactions, logs, listMax = Infinity } = chain
  const listed = <T>(size: number, at: (i: number) => T): readonly T[] => {
    if (size > listMax) throw refused(network, 'the answer is too long')
    return Array.from({ length: size }, (_, i) => at(i))
  }
  const blockAt = (at: unknown, isWhole: unknown) => {
    const number = at === 'latest' ? blocks - 1 : Number(at)
    if (number >= blocks) return null
    const list =
      isWhole === true
        ? listed(transactions, (i) => transactionAt(chain, number, i))
        : Array.from({ length: transactions }, (_, i) => hashAt(number, i))
    return { ...headerAt(number), transactions: list }
  }
  const answerTo = (method: string, [first, second]: readonly unknown[]): unknown => {
    switch (method) {
      case 'eth_chainId':
        return hex(network.chainId)
      case 'eth_getBlockByNumber':
        return blockAt(first, second)
      case 'eth_getTransactionByBlockHashAndIndex':
        return transactionAt(chain, numberOf(String(first)), Number(second))
      case 'eth_getLogs': {
        const { blockHash: hash } = first as { readonly blockHash: string }
        return listed(logs, (j) => logAt(chain, numberOf(hash), j))
      }
      case 'eth_getTransactionReceipt':
        return receiptOf(chain, String(first))
      default:
        throw refused(network, `the method ${method} does not exist`)
    }
  }
  // As much work as an answer over HTTP is to read.
  return async (method, params) => JSON.parse(JSON.stringify(answerTo(method, params)))
}

function refused({ id }: Network, reason: string): Failure<'chain.refused'> {
  return new Failure('chain.refused', { network: id, reason })
}

function headerAt(number: number) {
  return {
    ...{ number: hex(number), hash: blockHash(number), parentHash: blockHash(number - 1) },
    ...{ timestamp: hex(1_700_000_000 + number), logsBloom: `0x${'00'.repeat(256)}` },
  }
}

function transactionAt(chain: FakeChain, number: number, i: number) {
  const to = ourAt(chain, number, i) ?? stranger(number, i + 1)
  return {
    ...{ hash: hashAt(number, i), blockHash: blockHash(number), transactionIndex: hex(i) },
    ...{ from: stranger(number, i), to, value: '0x1', input: `0x${'ab'.repeat(200)}` },
  }
}

function logAt(chain: FakeChain, number: number, j: number) {
  const i = j % chain.transactions
  const to = ourAt(chain, number, j) ?? stranger(number, j + 1)
  return {
    ...{ address: `0x${padded(j % contractsMax, 38)}cc`, logIndex: hex(j) },
    ...{ transactionHash: hashAt(number, i), transactionIndex: hex(i) },
    ...{ blockHash: blockHash(number), data: `0x${padded(j + 1, 64)}` },
    topics: [transfer, topicOf(stranger(number, j)), topicOf(to)],
  }
}

function receiptOf(chain: FakeChain, hash: string) {
  const [number, i] = [Number(`0x${hash.slice(4, 20)}`), Number(`0x${hash.slice(20)}`)]
  const logs: object[] = []
  for (let j = i; j < chain.logs; j += chain.transactions) logs.push(logAt(chain, number, j))
  return {
    ...{ transactionHash: hash, blockHash: blockHash(number), blockNumber: hex(number) },
    ...{ status: '0x1', gasUsed: '0x5208', effectiveGasPrice: '0x1', logs },
  }
}

function ourAt({ ours, every }: FakeChain, number: number, i: number): string | undefined {
  return i % every === 0 ? ours[(number + i / every) % ours.length] : undefined
}

const hex = (value: number) => `0x${value.toString(16)}`
const padded = (value: number, length: number) => value.toString(16).padStart(length, '0')
const blockHash = (number: number) => `0xb${padded(number + 1, 63)}`
const numberOf = (hash: string) => Number(`0x${hash.slice(3)}`) - 1
const hashAt = (number: number, i: number) => `0xaa${padded(number, 16)}${padded(i, 46)}`
const stranger = (number: number, i: number) => `0x${padded(number, 12)}${padded(i, 28)}`
const topicOf = (address: string) => `0x${'0'.repeat(24)}${address.slice(2).toLowerCase()}`
