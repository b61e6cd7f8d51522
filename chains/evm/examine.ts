import { Failure, isFailure } from '@quorate/core/failure'
import type { Network, Rpc } from '../adapter.ts'
import { accountAddress, hasDeployer, isDeployed } from './account/account.ts'
import { readFields, readHash, readList, readQuantity } from './answer.ts'
import { readFees } from './fees.ts'

export type Examined = {
  readonly network: Network
  readonly rpc: Rpc
  /** Several calls in one request; how many were answered. */
  readonly batch: (size: number) => Promise<number>
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
const batchSizes = [10, 100, 1_000]
const logRanges = [10n, 100n, 1_000n, 10_000n]
/** Of nothing that there is: a search costs the node what it costs, and finds nothing. */
const noTopic = `0x${'00'.repeat(31)}01`
const nobody = `0x${'00'.repeat(19)}01`

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
  'fee history': async ({ rpc }) => {
    const { baseFeePerGas, quotes } = await readFees(rpc)
    return good(`base fee ${baseFeePerGas}, tip ${quotes.Standard.maxPriorityFeePerGas}`)
  },
  traces: optional('payments within transactions are seen by balances alone', async ({ rpc }) => {
    const { hash } = await headOf(rpc)
    readList(await rpc('debug_traceBlockByHash', [hash, { tracer: 'callTracer' }]))
    return good('debug_traceBlockByHash')
  }),
  'receipts of a block': optional('receipts are asked for one by one', async ({ rpc }) => {
    readList(await rpc('eth_getBlockReceipts', [hexOf((await headOf(rpc)).number)]))
    return good('eth_getBlockReceipts')
  }),
  'range of logs': optional('logs are asked for block by block', async ({ rpc }) => {
    const { number } = await headOf(rpc)
    const most = await largest(logRanges, async (range) => {
      const fromBlock = number < range ? 0n : number - range + 1n
      const asked = { fromBlock: hexOf(fromBlock), toBlock: hexOf(number), topics: [noTopic] }
      readList(await rpc('eth_getLogs', [asked]))
    })
    return most === undefined ? poor('none') : good(`${most} blocks at once, at least`)
  }),
  'account contract': optional('there are no fee sponsors', async ({ rpc }) => {
    if (await isDeployed(rpc)) return good(accountAddress)
    const where = (await hasDeployer(rpc)) ? 'not deployed' : 'neither deployed nor its deployer'
    return bad(`${where}, and \`quorate account-contract\` says how`)
  }),
  batches: async ({ batch }) => {
    const most = await largest(batchSizes, async (size) => {
      if ((await batch(size)) < size) throw new Failure('chain.unavailable', { network: '' })
    })
    return most === undefined ? poor('none') : good(`${most} calls at once, at least`)
  },
}

/** A node may lack it: what it then costs is told. */
function optional(without: string, test: Test): Test {
  return async (examined) => {
    const found = await outcomeOf(test, examined)
    return found.verdict === 'bad' ? poor(`${found.told}: ${without}`) : found
  }
}

async function largest<T>(
  sizes: readonly T[],
  tries: (size: T) => Promise<void>,
): Promise<T | undefined> {
  let most: T | undefined
  for (const size of sizes) {
    try {
      await tries(size)
    } catch (error) {
      if (isFailure(error, 'chain.refused') || isFailure(error, 'chain.unavailable')) return most
      throw error
    }
    most = size
  }
  return most
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
