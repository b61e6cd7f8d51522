import { isFailure } from '@quorate/core/failure'
import type { Block, Network, Rpc } from '../adapter.ts'
import { accountAddress, hasDeployer, isDeployed } from './account/account.ts'
import { readBytes, readFields, readHash, readList, readQuantity } from './answer.ts'
import { findBlock } from './blocks.ts'
import { quoteGasPrice, readFees } from './fees.ts'
import { findReceipt } from './status.ts'
import { tokenLogs } from './token-logs.ts'

export type Examined = {
  readonly network: Network
  /** Has it no fee market (EIP-1559)? */
  readonly isLegacy: boolean
  readonly rpc: Rpc
  readonly sleep: (ms: number) => Promise<void>
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** How long to wait for a block that comes. */
  readonly waitMs?: number
}

/** `bad`: money cannot rest on this node. `poor`: something that is told will be missing or slow. */
export type Finding = {
  readonly what: string
  readonly verdict: 'good' | 'poor' | 'bad'
  readonly told: string
}

/** Slow networks take a quarter of a minute for a block, and sometimes skip one. */
const waitMsDefault = 60_000
const askEveryMs = 500
/** A newest block that is older is no newest block. */
const ageMaxMs = 5 * 60_000
/** Down from the newest one, for one that has a transaction: on networks that are used, nearly all have. */
const blocksLooked = 32n
const nobody = `0x${'00'.repeat(19)}01`
/** An account without code, on any network. */
const plain = `0x${'5a'.repeat(20)}`

type Test = (examined: Examined) => Promise<Omit<Finding, 'what'>>

/** Everything is asked on its own, so that one that fails hides nothing. */
export async function examine(examined: Examined): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const [what, test] of Object.entries(tests)) {
    const finding = { what, ...(await outcomeOf(test, examined)) }
    findings.push(finding)
    // Of another chain, or of none, nothing else is worth knowing.
    if (what === 'chain id' && finding.verdict === 'bad') return findings
  }
  return findings
}

async function outcomeOf(test: Test, examined: Examined): Promise<Omit<Finding, 'what'>> {
  try {
    return await test(examined)
  } catch (error) {
    if (isFailure(error, 'chain.refused')) return bad(error.context.reason)
    if (isFailure(error, 'chain.unavailable')) return bad('no answer')
    throw error
  }
}

const tests: Readonly<Record<string, Test>> = {
  'chain id': async ({ rpc, network }) => {
    const said = readQuantity(await rpc('eth_chainId', []))
    return said === BigInt(network.chainId)
      ? good(`${said}`)
      : bad(`${said}, and ${network.id} is ${network.chainId}`)
  },
  'newest block': async ({ rpc, now }) => {
    readQuantity(await rpc('eth_blockNumber', []))
    const { number, timestamp } = await headOf(rpc)
    const ageMs = now() - Number(timestamp) * 1_000
    const told = `${number}, ${Math.round(ageMs / 1_000)} seconds old`
    return ageMs > ageMaxMs ? bad(told) : good(told)
  },
  'next block': async (examined) => {
    const { rpc, sleep, waitMs = waitMsDefault } = examined
    const { number } = await headOf(rpc)
    for (let waited = 0; waited < waitMs; waited += askEveryMs) {
      await sleep(askEveryMs)
      const next = (await headOf(rpc)).number
      if (next > number) return good(`${next} came within ${(waited + askEveryMs) / 1_000} seconds`)
    }
    return bad(`none came within ${waitMs / 1_000} seconds`)
  },
  'finality tag': optional('settled blocks are told by their number alone', async ({ rpc }) => {
    const block = readFields(await rpc('eth_getBlockByNumber', ['finalized', false]))
    return good(`block ${readQuantity(block['number'])}`)
  }),
  'state by block hash': async ({ rpc }) => {
    const { hash } = await headOf(rpc)
    readQuantity(await rpc('eth_getBalance', [nobody, { blockHash: hash, requireCanonical: true }]))
    return good('answered (EIP-1898)')
  },
  'state of settled blocks': async ({ rpc, network }) => {
    const { number } = await headOf(rpc)
    const depth = BigInt(network.confirmationsFinal)
    const settled = number > depth ? number - depth : 0n
    readQuantity(await rpc('eth_getTransactionCount', [nobody, hexOf(settled)]))
    return good(`${depth} blocks back`)
  },
  'pending transactions': async ({ rpc }) => {
    readQuantity(await rpc('eth_getTransactionCount', [nobody, 'pending']))
    return good('counted')
  },
  fees: async ({ rpc, isLegacy }) => {
    if (isLegacy) return good(`gas price ${await quoteGasPrice(rpc, 'Standard')}, with headroom`)
    const { baseFeePerGas, quotes } = await readFees(rpc)
    return good(`base fee ${baseFeePerGas}, tip ${quotes.Standard.maxPriorityFeePerGas}`)
  },
  'what a contract says': async ({ rpc }) => {
    const at = { blockHash: (await headOf(rpc)).hash, requireCanonical: true }
    readBytes(await rpc('eth_call', [{ from: nobody, to: plain, data: '0x' }, at]))
    return good('answered at a block, by its hash')
  },
  'what a transaction needs': async ({ rpc }) => {
    const payment = { from: nobody, to: plain, value: '0x0' }
    const gas = readQuantity(await rpc('eth_estimateGas', [payment]))
    return good(`${gas} gas for a plain payment`)
  },
  'block with transactions': ofUsed(async (_, { number, transactions }) =>
    good(`block ${number} has ${transactions.length}`),
  ),
  'transaction and receipt': ofUsed(async (rpc, { hash: blockHash, transactions }) => {
    const { hash } = transactions[0] ?? { hash: '' }
    const found = readFields(await rpc('eth_getTransactionByHash', [hash]))
    const receipt = await findReceipt(rpc, hash)
    const isThere = readHash(found['blockHash']) === blockHash && receipt?.blockHash === blockHash
    return isThere ? good(`fee ${receipt.fee}`) : bad(`of ${hash} there is none in its block`)
  }),
  'logs of a block': ofUsed(async (rpc, block) => {
    const { logs, isWhole, unread } = await tokenLogs(rpc, block)
    const isAll = isWhole && unread.size === 0
    return isAll ? good(`${logs.length} movements of tokens`) : poor('too long for one answer')
  }),
  'list of logs': optional(
    'logs are read from receipts, one by one',
    ofUsed(async (rpc, { hash }) => {
      const logs = readList(await rpc('eth_getLogs', [{ blockHash: hash }]))
      return good(`${logs.length} at once`)
    }),
  ),
  traces: optional('payments within transactions are seen by balances alone', async ({ rpc }) => {
    const { hash } = await headOf(rpc)
    readList(await rpc('debug_traceBlockByHash', [hash, { tracer: 'callTracer' }]))
    return good('debug_traceBlockByHash')
  }),
  'account contract': optional('there are no fee sponsors', async ({ rpc }) => {
    if (await isDeployed(rpc)) return good(accountAddress)
    const where = (await hasDeployer(rpc)) ? 'not deployed' : 'neither deployed nor its deployer'
    return bad(`${where}, and \`quorate account-contract\` says how`)
  }),
}

/** A node may lack it: what it then costs is told. */
function optional(without: string, test: Test): Test {
  return async (examined) => {
    const found = await outcomeOf(test, examined)
    return found.verdict === 'bad' ? poor(`${found.told}: ${without}`) : found
  }
}

/** A block that has no transaction shows nothing of how the node tells of any. */
function ofUsed(test: (rpc: Rpc, block: Block) => ReturnType<Test>): Test {
  return async ({ rpc }) => {
    const block = await newestUsed(rpc)
    return block === undefined
      ? poor(`not seen: no transaction in the newest ${blocksLooked} blocks, ask again after one`)
      : test(rpc, block)
  }
}

/** The newest block that has a transaction; nothing where that is too long ago. */
async function newestUsed(rpc: Rpc): Promise<Block | undefined> {
  const { number: newest } = await headOf(rpc)
  for (let number = newest; number >= 0n && number > newest - blocksLooked; number--) {
    const block = await findBlock(rpc, number)
    if (block !== undefined && block.transactions.length > 0) return block
  }
  return undefined
}

async function headOf(rpc: Rpc) {
  const head = readFields(await rpc('eth_getBlockByNumber', ['latest', false]))
  return {
    number: readQuantity(head['number']),
    hash: readHash(head['hash']),
    timestamp: readQuantity(head['timestamp']),
  }
}

const good = (told: string) => ({ verdict: 'good', told }) as const
const poor = (told: string) => ({ verdict: 'poor', told }) as const
const bad = (told: string) => ({ verdict: 'bad', told }) as const

function hexOf(value: bigint): string {
  return `0x${value.toString(16)}`
}
