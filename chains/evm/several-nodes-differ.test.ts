import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Failure, isFailure } from '@quorate/core/failure'
import { deploy } from '@quorate/devnet/testing/deploy'
import type { Rpc } from '../adapter.ts'
import {
  asBlock,
  besideRealNode,
  gone,
  instead,
  network,
  stranger,
  together,
  type Ways,
} from '../testing/fake-nodes.ts'
import { findBlock } from './blocks.ts'

const { real, fakeNode, mine, paid, hashAt, logged } = besideRealNode()

/** Of no block that there is. */
const log = {
  blockHash: `0x${'11'.repeat(32)}`,
  transactionHash: `0x${'22'.repeat(32)}`,
  ...{ transactionIndex: '0x0', logIndex: '0x0', address: stranger, topics: [], data: '0x' },
}

const isUnavailable = (error: unknown) => isFailure(error, 'chain.unavailable')

const readListOf = (logs: unknown) => logs as readonly Readonly<Record<string, unknown>>[]

const [outer, inner] = [`0x${'aa'.repeat(20)}`, `0x${'bb'.repeat(20)}`] as const

/** @returns a contract that says something, has another one say something, and says something again */
async function talker(): Promise<`0x${string}`> {
  const say = '60206000a0'
  const call = `6000600060006000600073${inner.slice(2)}5af1`
  await real('anvil_setCode', [inner, `0x${say}`])
  await real('anvil_setCode', [outer, `0x${say}${call}${say}`])
  return outer
}

/** The last of these logs in the name of the contract of the one before, which no bloom tells. */
function misnamed(logs: unknown) {
  const [first, second, third] = readListOf(logs)
  return [first, second, { ...third, address: second?.['address'] }]
}

/** A trace of calls within calls, as deep as no machine goes. */
function abyss(id: number): string {
  const call = `{"type":"CALL","from":"${stranger}","to":"${stranger}","calls":[`
  const deep = `${call.repeat(5_000)}${']}'.repeat(5_000)}`
  return `{"jsonrpc":"2.0","id":${id},"result":${deep}}`
}

describe('several nodes of which one says something else', () => {
  const lies: readonly (readonly [string, string, Ways])[] = [
    [
      'a count of transactions',
      'eth_getTransactionCount',
      instead('eth_getTransactionCount', () => '0x77'),
    ],
    ['a balance', 'eth_getBalance', instead('eth_getBalance', () => '0x77')],
    [
      'a receipt that it hides',
      'eth_getTransactionReceipt',
      instead('eth_getTransactionReceipt', () => null),
    ],
    [
      'whether a transaction succeeded',
      'eth_getTransactionReceipt',
      instead('eth_getTransactionReceipt', (receipt) => ({ ...Object(receipt), status: '0x0' })),
    ],
    [
      'a block',
      'eth_getBlockByNumber',
      {
        result: ({ method, params }, result) =>
          method === 'eth_getBlockByNumber' && params[1] === true
            ? { ...Object(result), transactions: [] }
            : result,
      },
    ],
    [
      'what a log of a block says',
      'eth_getLogs',
      instead('eth_getLogs', (logs) => readListOf(logs).map((one) => ({ ...one, data: '0x' }))),
    ],
    [
      'whether there is one log more',
      'eth_getLogs',
      instead('eth_getLogs', (logs) => {
        const list = readListOf(logs)
        return [...list, { ...list[0], logIndex: '0x3', address: stranger }]
      }),
    ],
    ['whose log of a block one is', 'eth_getLogs', instead('eth_getLogs', misnamed)],
    [
      'whose log of a receipt one is',
      'eth_getTransactionReceipt',
      instead('eth_getTransactionReceipt', (receipt) => {
        const { logs, ...rest } = Object(receipt)
        return { ...rest, logs: misnamed(logs) }
      }),
    ],
    [
      'of which transaction a log is',
      'eth_getLogs',
      instead('eth_getLogs', (logs) =>
        readListOf(logs).map((one) => ({ ...one, transactionIndex: '0x7' })),
      ),
    ],
    ...(['00', 'ff'] as const).map(
      (byte) =>
        [
          `the bloom of a block that is all ${byte}`,
          'eth_getBlockByNumber',
          instead('eth_getBlockByNumber', (block) => ({
            ...Object(block),
            logsBloom: `0x${byte.repeat(256)}`,
          })),
        ] as const,
    ),
    [
      'how much gas a block takes',
      'eth_getBlockByNumber',
      instead('eth_getBlockByNumber', (block) => ({ ...Object(block), gasLimit: '0x5208' })),
    ],
    ['what a contract says at a block', 'eth_call', instead('eth_call', () => '0x77')],
  ]
  for (const [name, method, ways] of lies)
    it(`believe nobody when they disagree about ${name}, unless one of three may be outvoted`, async () => {
      const { sent, bytes } = await paid(await talker())
      await real('eth_sendRawTransaction', [bytes])
      await mine(1)
      const head = await real('eth_blockNumber', [])
      const { hash: blockHash } = Object(await real('eth_getBlockByNumber', [head, false]))
      const params: Readonly<Record<string, readonly unknown[]>> = {
        eth_getLogs: [{ blockHash }],
        eth_call: [{ to: stranger, data: '0x' }, { blockHash }],
        eth_getTransactionReceipt: [sent.hash],
        eth_getBlockByNumber: [head, true],
      }
      const asked = params[method] ?? [sent.from, 'latest']
      const three = [await fakeNode(ways), await fakeNode(), await fakeNode()]
      await assert.rejects(together(three).rpc(method, asked), isUnavailable)
      const { rpc, distrusted } = together(three, 1, 1)
      assert.deepEqual(await rpc(method, asked), await real(method, asked))
      assert.deepEqual(distrusted, ['1: it says otherwise than the others'])
      for (const order of [
        [await fakeNode(), await fakeNode(ways)],
        [await fakeNode(ways), await fakeNode()],
      ])
        await assert.rejects(together(order).rpc(method, asked), isUnavailable)
      const honest = together([await fakeNode(), await fakeNode()])
      assert.notEqual(await honest.rpc(method, asked), null)
    })

  it('outvote no node by fewer than all the others, and none by two that differ', async () => {
    const lying = (said: string) => fakeNode(instead('eth_getBalance', () => said))
    const ask = (nodes: readonly Rpc[]) =>
      together(nodes, 1, 1).rpc('eth_getBalance', [stranger, 'latest'])
    const honest = [await fakeNode(), await fakeNode()] as const
    await assert.rejects(ask([honest[0], await lying('0x77'), await fakeNode(gone)]), isUnavailable)
    await assert.rejects(ask([honest[0], await lying('0x77'), await lying('0x78')]), isUnavailable)
    const two = [await lying('0x77'), await lying('0x77')]
    await assert.rejects(ask([...honest, ...two]), isUnavailable)
    assert.equal(await ask([...two, honest[0]]), '0x77', 'who trusts a majority has to')
  })

  it('outvote no node that knows what the others refuse', async () => {
    const refusing = () =>
      fakeNode({
        respond: ({ id, method }, response) => {
          if (method !== 'eth_getBalance') return false
          const error = { code: -32000, message: 'missing trie node' }
          response.end(JSON.stringify({ jsonrpc: '2.0', id, error }))
          return true
        },
      })
    const nodes = [await refusing(), await refusing(), await fakeNode()]
    const { rpc, distrusted } = together(nodes, 1, 1)
    await assert.rejects(rpc('eth_getBalance', [stranger, 'latest']), isUnavailable)
    assert.deepEqual(distrusted, [])
    const one = together([await refusing(), await fakeNode(), await fakeNode()], 1, 1)
    const asked = ['eth_getBalance', [stranger, 'latest']] as const
    assert.equal(await one.rpc(...asked), await real(...asked))
    assert.deepEqual(one.distrusted, [])
  })

  it('do not take one that refuses for its own sake for one that says the contract does', async () => {
    await mine(1)
    const blockHash = await hashAt(await real('eth_blockNumber', []))
    const refusing = (code: number, message: string) =>
      fakeNode({
        respond: ({ id, method }, response) => {
          if (method !== 'eth_call') return false
          response.end(JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } }))
          return true
        },
      })
    const ask = async (...nodes: readonly Promise<Rpc>[]) =>
      together(await Promise.all(nodes), 2).rpc('eth_call', [{ to: stranger }, { blockHash }])
    const reverted = () => refusing(3, 'execution reverted')
    const busy = () => refusing(-32_005, 'limit exceeded')
    await assert.rejects(ask(reverted(), busy()), isUnavailable)
    await assert.rejects(ask(busy(), reverted()), isUnavailable)
    const isRefused = (error: unknown) => isFailure(error, 'chain.refused')
    await assert.rejects(ask(reverted(), refusing(-32_000, 'Execution reverted')), isRefused)
    await assert.rejects(ask(busy(), busy()), isRefused)
  })

  it('do without one that says of an old block that it is the newest', async () => {
    const stale = asBlock((newest) => ({ ...newest, number: '0x1' }))
    await real('evm_increaseTime', ['0x78'])
    await mine(1)
    const { rpc, distrusted } = together([await fakeNode(stale), await fakeNode()])
    assert.equal(await rpc('eth_blockNumber', []), await real('eth_blockNumber', []))
    assert.deepEqual(distrusted, ['1: its newest block is an old one'])
  })

  it('outvote one that says of a receipt that nobody can have it yet', async () => {
    const { sent, bytes } = await paid()
    await real('eth_sendRawTransaction', [bytes])
    await mine(1)
    const method = 'eth_getTransactionReceipt'
    const later = instead(method, (one) => ({ ...Object(one), blockNumber: '0xffffff' }))
    const nodes = [await fakeNode(later), await fakeNode(), await fakeNode()]
    await assert.rejects(together(nodes).rpc(method, [sent.hash]), isUnavailable)
    const found = await together(nodes, 1, 1).rpc(method, [sent.hash])
    assert.deepEqual(found, await real(method, [sent.hash]))
  })

  const hiding: readonly (readonly [string, string, (logs: never) => unknown])[] = [
    ['that has none yet', 'it lacks logs of the block', () => []],
    ['that has some of elsewhere', 'what it answers is no answer', () => [log]],
  ]
  for (const [name, reason, change] of hiding)
    it(`do without the logs of a block from one ${name}, and leave that one alone`, async () => {
      const params = [{ blockHash: await hashAt(await logged()) }]
      const lying = instead('eth_getLogs', change)
      const { rpc, distrusted } = together([await fakeNode(lying), await fakeNode()])
      assert.deepEqual(await rpc('eth_getLogs', params), await real('eth_getLogs', params))
      assert.deepEqual(distrusted, [`1: ${reason}`])
      const both = together([await fakeNode(lying), await fakeNode()], 2)
      await assert.rejects(both.rpc('eth_getLogs', params), isUnavailable)
    })

  it('leave nobody alone for some logs of a block, of which its bloom says nothing', async () => {
    const blockHash = await hashAt(await logged())
    const [log] = readListOf(await real('eth_getLogs', [{ blockHash }]))
    const params = [{ blockHash, topics: [Object(log).topics.slice(0, 1)] }]
    const lying = instead('eth_getLogs', () => [])
    const { rpc, distrusted } = together([await fakeNode(lying), await fakeNode()])
    await assert.rejects(rpc('eth_getLogs', params), isUnavailable)
    assert.deepEqual(distrusted, [])
    const all = together([await fakeNode(), await fakeNode()])
    assert.deepEqual(await all.rpc('eth_getLogs', params), await real('eth_getLogs', params))
  })

  const empty: readonly (readonly [string, string, (result: never) => unknown])[] = [
    [
      'a transaction to no address',
      'eth_getBlockByNumber',
      (block) => {
        const { transactions, ...header } = Object(block)
        const isWhole = typeof transactions[0] === 'object'
        const named = readListOf(transactions).map((one) => ({ ...one, to: 5 }))
        return { ...header, transactions: isWhole ? named : transactions }
      },
    ],
    [
      'data that is a list',
      'eth_getLogs',
      (logs) => readListOf(logs).map((one) => ({ ...one, data: [one['data']] })),
    ],
  ]
  for (const [name, method, change] of empty)
    it(`do without one that has ${name}, where the others could be read`, async () => {
      await deploy(real, 'Coin', ['Gold', 'GLD', 6])
      const head = await real('eth_blockNumber', [])
      const blockHash = await hashAt(await logged())
      const params = method === 'eth_getLogs' ? [{ blockHash }] : [head, true]
      const { rpc, distrusted } = together([
        await fakeNode(instead(method, change)),
        await fakeNode(),
      ])
      assert.deepEqual(await rpc(method, params), await real(method, params))
      assert.deepEqual(distrusted, ['1: what it answers is no answer'])
    })

  for (const method of ['debug_traceTransaction', 'debug_traceBlockByHash'])
    it(`do without one whose trace has no bottom, asked by ${method}`, async () => {
      const { sent, bytes } = await paid()
      await real('eth_sendRawTransaction', [bytes])
      await mine(1)
      const block = await hashAt(await real('eth_blockNumber', []))
      const isOfBlock = method === 'debug_traceBlockByHash'
      const lying = await fakeNode({
        respond: ({ id, method: asked }, response) => {
          if (asked !== method) return false
          const text = abyss(id)
          response.end(isOfBlock ? text.replace(':{"type', ':[{"result":{"type') + ']}' : text)
          return true
        },
      })
      const { rpc, distrusted } = together([lying, await fakeNode()])
      const params = [isOfBlock ? block : sent.hash, { tracer: 'callTracer' }]
      assert.deepEqual(await rpc(method, params), await real(method, params))
      assert.deepEqual(distrusted, ['1: what it answers is no answer'])
    })

  const traces: readonly (readonly [
    string,
    (sent: string, block: string) => readonly unknown[],
  ])[] = [
    ['debug_traceBlockByHash', (_, block) => [block]],
    ['debug_traceTransaction', (sent) => [sent]],
    ['debug_traceCall', (_, blockHash) => [{ from: stranger, to: stranger }, { blockHash }]],
  ]
  for (const [method, paramsOf] of traces)
    it(`give ${method} where as many keep traces as have to agree, and else as if nobody did`, async () => {
      const { sent, bytes } = await paid()
      await real('eth_sendRawTransaction', [bytes])
      await mine(1)
      const block = await hashAt(await real('eth_blockNumber', []))
      const params = [...paramsOf(sent.hash, block), { tracer: 'callTracer' }]
      const without = () =>
        fakeNode({
          respond: ({ id, method: asked }, response) => {
            if (!asked.startsWith('debug_')) return false
            const error = { code: -32_601, message: 'no such method' }
            response.end(JSON.stringify({ jsonrpc: '2.0', id, error }))
            return true
          },
        })
      const ask = async (agree: number, ...nodes: readonly Promise<Rpc>[]) =>
        together(await Promise.all(nodes), agree).rpc(method, params)
      const isRefused = (error: unknown) => isFailure(error, 'chain.refused')
      const said = await real(method, params)
      assert.deepEqual(await ask(1, without(), fakeNode(), without()), said)
      assert.deepEqual(await ask(2, fakeNode(), without(), fakeNode()), said)
      await assert.rejects(ask(2, fakeNode(), without(), without()), isRefused)
      await assert.rejects(ask(2, without(), without(), fakeNode()), isRefused)
      const otherwise = (trace: unknown) =>
        Array.isArray(trace) ? [] : { ...Object(trace), value: '0x77' }
      const lying = fakeNode(instead(method, otherwise))
      await assert.rejects(ask(2, fakeNode(), without(), lying), isUnavailable)
    })

  it('read a block too long for one answer by the word of all', async () => {
    const { bytes } = await paid()
    await real('eth_sendRawTransaction', [bytes])
    await mine(1)
    const head = BigInt(String(await real('eth_blockNumber', [])))
    const method = 'eth_getTransactionByBlockHashAndIndex'
    const lying = instead(method, (one) => ({ ...Object(one), value: '0x77' }))
    const params = [await hashAt(`0x${head.toString(16)}`), '0x0']
    const honest = together([await fakeNode(), await fakeNode()])
    assert.equal(Object(await honest.rpc(method, params)).value, '0x1')
    const other = together([await fakeNode(), await fakeNode(lying)])
    await assert.rejects(other.rpc(method, params), isUnavailable)
    const refusing: Rpc = async (asked, given) => {
      if (asked !== 'eth_getBlockByNumber' || given[1] !== true) return real(asked, given)
      throw new Failure('chain.refused', { network: network.id, reason: 'the answer is too long' })
    }
    assert.deepEqual(await findBlock(refusing, head), await findBlock(real, head))
  })

  it('read a block with a transaction of calls, as a fake node of Tempo has it', async () => {
    const { sent, bytes } = await paid()
    await real('eth_sendRawTransaction', [bytes])
    await mine(1)
    const head = await real('eth_blockNumber', [])
    const ofCalls = (one: unknown, type: string) => {
      if (typeof one === 'string') return one
      const { to, value, input, ...rest } = Object(one)
      return { ...rest, type, calls: [{ to, value, input }] }
    }
    const tempo = (type: string) =>
      fakeNode(
        instead('eth_getBlockByNumber', (block) => {
          const { transactions, ...header } = Object(block)
          return {
            ...header,
            transactions: readListOf(transactions).map((one) => ofCalls(one, type)),
          }
        }),
      )
    const both = async (type: string) => [await tempo(type), await tempo(type)]
    const { rpc, distrusted } = together(await both('0x76'), 2)
    const found = await findBlock(rpc, BigInt(String(head)))
    assert.deepEqual(found?.transactions, [
      { hash: sent.hash, index: 0, from: sent.from, value: 0n },
    ])
    assert.deepEqual(distrusted, [])
    // Of any other kind, a transaction without a value is none.
    const other = together(await both('0x2'), 2)
    await assert.rejects(findBlock(other.rpc, BigInt(String(head))), isUnavailable)
  })
})
