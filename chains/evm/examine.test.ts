import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { Failure } from '@quorate/core/failure'
import type { Rpc } from '../adapter.ts'
import { ethereumSepolia as network } from '../testing/sepolia.ts'
import { runtimeCode } from './account/artifact.ts'
import { examine } from './examine.ts'

const hash = `0x${'11'.repeat(32)}`
const payment = `0x${'22'.repeat(32)}`
const account = `0x${'5a'.repeat(20)}`
/** Of a block that is asked for with them. */
const transactions: readonly object[] = [
  { hash: payment, transactionIndex: '0x0', from: account, to: account, value: '0x1' },
]
const nowMs = 1_700_000_000_000
/** What a node that is as it should be answers; each of the tests spoils one of these. */
const answers: Readonly<Record<string, unknown>> = {
  eth_chainId: '0xaa36a7',
  eth_getBalance: '0x0',
  eth_getTransactionCount: '0x0',
  eth_feeHistory: {
    oldestBlock: '0x1',
    baseFeePerGas: ['0x1', '0x1'],
    reward: [['0x1', '0x1', '0x1']],
  },
  eth_blockNumber: '0x64',
  eth_gasPrice: '0x5',
  eth_call: '0x',
  eth_estimateGas: '0x5208',
  eth_getTransactionByHash: { blockHash: hash },
  eth_getTransactionReceipt: {
    ...{ transactionHash: payment, blockHash: hash, blockNumber: '0x64', status: '0x1' },
    ...{ gasUsed: '0x5208', effectiveGasPrice: '0x2', logs: [] },
  },
  debug_traceBlockByHash: [],
  eth_getLogs: [],
  eth_getCode: runtimeCode,
}

type Way = {
  /** How many blocks come between two looks. */
  readonly move?: number
  readonly isLegacy?: boolean
  readonly transactions?: readonly unknown[]
}

async function verdicts(spoiled: Readonly<Record<string, unknown>> = {}, way: Way = {}) {
  const { move = 1, isLegacy = false } = way
  let number = 100
  const rpc: Rpc = async (method, params) => {
    asked.add(method)
    if (Object.hasOwn(spoiled, method)) {
      const answer = spoiled[method]
      if (answer instanceof Error) throw answer
      return answer
    }
    if (method !== 'eth_getBlockByNumber') return answers[method]
    if (params[0] === 'latest') number += move
    return {
      number: String(params[0]).startsWith('0x') ? params[0] : `0x${number.toString(16)}`,
      ...{ hash, parentHash: hash, transactions: way.transactions ?? transactions },
      timestamp: `0x${(nowMs / 1_000).toString(16)}`,
    }
  }
  const found = await examine({
    ...{ network, isLegacy, rpc, sleep: async () => undefined, now: () => nowMs, waitMs: 1_000 },
  })
  return new Map(found.map(({ what, verdict, told }) => [what, `${verdict} ${told}`]))
}

const asked = new Set<string>()
beforeEach(() => asked.clear())
const refused = new Failure('chain.refused', { network: network.id, reason: 'no such method' })

describe('a look at a node', () => {
  it('finds everything good where it is, and the limits where they are', async () => {
    const found = await verdicts()
    assert.ok(
      [...found.values()].every((said) => said.startsWith('good ')),
      [...found].join('\n'),
    )
    assert.match(found.get('block with transactions') ?? '', / has 1$/)
    assert.equal(found.get('transaction and receipt'), 'good fee 42000')
    assert.ok(!['eth_gasPrice', 'eth_getBlockReceipts'].some((method) => asked.has(method)))
  })

  it('asks for a gas price where there is no fee market, and for no history of fees', async () => {
    const found = await verdicts({ eth_feeHistory: refused }, { isLegacy: true })
    assert.equal(found.get('fees'), 'good gas price 10, with headroom')
    assert.ok(!asked.has('eth_feeHistory'))
    const without = await verdicts({ eth_gasPrice: refused }, { isLegacy: true })
    assert.match(without.get('fees') ?? '', /^bad /)
  })

  it('says that it has not seen what only a block with transactions shows', async () => {
    const found = await verdicts({}, { transactions: [] })
    for (const what of ['block with transactions', 'transaction and receipt', 'logs of a block'])
      assert.match(found.get(what) ?? '', /^poor not seen: no transaction in the newest 32 blocks/)
  })

  it('is bad where blocks name their transactions only, and each by itself is refused', async () => {
    const found = await verdicts(
      { eth_getTransactionByBlockHashAndIndex: refused },
      { transactions: [payment] },
    )
    assert.match(found.get('block with transactions') ?? '', /^bad /)
  })

  it('is bad where a transaction of its newest blocks is of another block, or of none', async () => {
    const elsewhere = `0x${'33'.repeat(32)}`
    for (const spoiled of [
      { eth_getTransactionByHash: { blockHash: elsewhere } },
      { eth_getTransactionReceipt: null },
      {
        eth_getTransactionReceipt: {
          ...Object(answers['eth_getTransactionReceipt']),
          blockHash: elsewhere,
        },
      },
    ])
      assert.match(
        (await verdicts(spoiled)).get('transaction and receipt') ?? '',
        /^bad of 0x2+ there is none in its block/,
      )
    const { effectiveGasPrice: _, ...free } = Object(answers['eth_getTransactionReceipt'])
    const found = await verdicts({ eth_getTransactionReceipt: free })
    assert.match(found.get('transaction and receipt') ?? '', /^bad .* a quantity/)
  })

  it('is bad where the logs of a block are of another one, and poor where they are in receipts alone', async () => {
    const log = {
      ...{ blockHash: payment, transactionHash: payment, transactionIndex: '0x0' },
      ...{ logIndex: '0x0', address: account, topics: [], data: '0x' },
    }
    const found = await verdicts({ eth_getLogs: [log] })
    assert.match(found.get('logs of a block') ?? '', /^bad .* logs of the block asked about/)
    const unlisted = await verdicts({ eth_getLogs: refused })
    assert.match(unlisted.get('logs of a block') ?? '', /^good /)
    assert.match(unlisted.get('list of logs') ?? '', /^poor no such method: logs are read from/)
  })

  it('ends at a node of another chain', async () => {
    const found = await verdicts({ eth_chainId: '0x1' })
    assert.deepEqual([...found], [['chain id', 'bad 1, and EthereumSepolia is 11155111']])
  })

  it('finds a head that stands still, and one that is old', async () => {
    assert.equal(
      (await verdicts({}, { move: 0 })).get('next block'),
      'bad none came within 1 seconds',
    )
    const old = { number: '0x64', hash, timestamp: `0x${(nowMs / 1_000 - 301).toString(16)}` }
    const found = await verdicts({ eth_getBlockByNumber: old })
    assert.equal(found.get('newest block'), 'bad 100, 301 seconds old')
  })

  const needed: Readonly<Record<string, string>> = {
    eth_getBalance: 'state by block hash',
    eth_getTransactionCount: 'state of settled blocks',
    eth_blockNumber: 'newest block',
    eth_feeHistory: 'fees',
    eth_call: 'what a contract says',
    eth_estimateGas: 'what a transaction needs',
    eth_getTransactionByHash: 'transaction and receipt',
    eth_getTransactionReceipt: 'transaction and receipt',
  }
  for (const [method, what] of Object.entries(needed))
    it(`is bad without ${method}, whether it is refused or no answer`, async () => {
      for (const spoiled of [refused, 'nonsense'])
        assert.match((await verdicts({ [method]: spoiled })).get(what) ?? '', /^bad /)
    })

  const welcome: Readonly<Record<string, string>> = {
    debug_traceBlockByHash: 'traces',
    eth_getCode: 'account contract',
  }
  for (const [method, what] of Object.entries(welcome))
    it(`is poor without ${method}`, async () => {
      assert.match((await verdicts({ [method]: refused })).get(what) ?? '', /^poor /)
    })

  it('is poor without the contract that sponsored accounts run, and says what to do', async () => {
    const said = (code: string) =>
      verdicts({ eth_getCode: code }).then((found) => found.get('account contract'))
    const how = 'and `quorate account-contract` says how: there are no fee sponsors'
    assert.equal(await said('0x60'), `poor not deployed, ${how}`)
    assert.equal(await said('0x'), `poor neither deployed nor its deployer, ${how}`)
  })
})
