import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Failure } from '@quorate/core/failure'
import type { Rpc } from '../adapter.ts'
import { ethereumSepolia as network } from '../testing/sepolia.ts'
import { runtimeCode } from './account/artifact.ts'
import { examine } from './examine.ts'

const hash = `0x${'11'.repeat(32)}`
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
  debug_traceBlockByHash: [],
  eth_getBlockReceipts: [],
  eth_getLogs: [],
  eth_getCode: runtimeCode,
}

async function verdicts(spoiled: Readonly<Record<string, unknown>> = {}, move = 1) {
  let number = 100
  const rpc: Rpc = async (method) => {
    if (Object.hasOwn(spoiled, method)) {
      const answer = spoiled[method]
      if (answer instanceof Error) throw answer
      return answer
    }
    if (method !== 'eth_getBlockByNumber') return answers[method]
    number += move
    return {
      number: `0x${number.toString(16)}`,
      hash,
      timestamp: `0x${(nowMs / 1_000).toString(16)}`,
    }
  }
  const found = await examine({
    ...{ network, rpc, sleep: async () => undefined, now: () => nowMs, waitMs: 1_000 },
    batch: async (size) => (size > 100 ? 0 : size),
  })
  return new Map(found.map(({ what, verdict, told }) => [what, `${verdict} ${told}`]))
}

const refused = new Failure('chain.refused', { network: network.id, reason: 'no such method' })

describe('a look at a node', () => {
  it('finds everything good where it is, and the limits where they are', async () => {
    const found = await verdicts()
    assert.ok(
      [...found.values()].every((said) => said.startsWith('good ')),
      [...found].join('\n'),
    )
    assert.equal(found.get('batches'), 'good 100 calls at once, at least')
  })

  it('ends at a node of another chain', async () => {
    const found = await verdicts({ eth_chainId: '0x1' })
    assert.deepEqual([...found], [['chain id', 'bad 1, and EthereumSepolia is 11155111']])
  })

  it('finds a head that stands still, and one that is old', async () => {
    assert.equal((await verdicts({}, 0)).get('next block'), 'bad none came within 1 seconds')
    const old = { number: '0x64', hash, timestamp: `0x${(nowMs / 1_000 - 301).toString(16)}` }
    const found = await verdicts({ eth_getBlockByNumber: old })
    assert.equal(found.get('newest block'), 'bad 100, 301 seconds old')
  })

  const needed: Readonly<Record<string, string>> = {
    eth_getBalance: 'state by block hash',
    eth_getTransactionCount: 'state of settled blocks',
    eth_feeHistory: 'fee history',
  }
  for (const [method, what] of Object.entries(needed))
    it(`is bad without ${method}, whether it is refused or no answer`, async () => {
      for (const spoiled of [refused, 'nonsense'])
        assert.match((await verdicts({ [method]: spoiled })).get(what) ?? '', /^bad /)
    })

  const welcome: Readonly<Record<string, string>> = {
    debug_traceBlockByHash: 'traces',
    eth_getBlockReceipts: 'receipts of a block',
    eth_getLogs: 'range of logs',
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
