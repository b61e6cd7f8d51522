import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { Failure, isFailure } from '@quorate/core/failure'
import { type RunningEthereum, startEthereum } from '@quorate/devnet/ethereum'
import { deploy } from '@quorate/devnet/testing/deploy'
import { createWalletClient, http, keccak256 } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { sepolia } from 'viem/chains'
import type { Rpc } from '../adapter.ts'
import { httpNode } from '../nodes.ts'
import { ethereumSepolia } from '../testing/sepolia.ts'
import { findBlock } from './blocks.ts'
import { evm } from './index.ts'
import { severalNodes } from './several-nodes.ts'

const network = { ...ethereumSepolia, confirmationsFinal: 2 }
const stranger = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'

/** Of no block that there is. */
const log = {
  blockHash: `0x${'11'.repeat(32)}`,
  transactionHash: `0x${'22'.repeat(32)}`,
  ...{ transactionIndex: '0x0', logIndex: '0x0', address: stranger, topics: [], data: '0x' },
}

let node: RunningEthereum
let real: Rpc
const dataDir = mkdtempSync(join(tmpdir(), 'several-'))
const fakes: Server[] = []

before(async () => {
  node = await startEthereum({ dataDir })
  real = httpNode({ url: node.rpcUrl, network: network.id })
  // Blocks come when a test asks for one.
  await real('evm_setIntervalMining', [0])
  await real('evm_setAutomine', [false])
  await mine(3)
})
after(async () => {
  await node.stop()
  rmSync(dataDir, { recursive: true, force: true })
})
afterEach(() => {
  for (const fake of fakes.splice(0)) {
    fake.closeAllConnections()
    fake.close()
  }
})

async function mine(blocks: number): Promise<void> {
  for (let i = 0; i < blocks; i++) await real('evm_mine', [])
}

type Call = { readonly id: number; readonly method: string; readonly params: readonly unknown[] }
/** What a fake node makes of a call, and of what the real node behind it answers. */
type Ways = {
  readonly heard?: (call: Call) => void
  readonly result?: (call: Call, result: never) => unknown
  /** Instead of any answer, and without asking the node behind. */
  readonly respond?: (call: Call, response: ServerResponse) => boolean
}

/** A fake node in front of a real one. */
async function fakeNode(ways: Ways = {}): Promise<Rpc> {
  const fake = createServer((request, response) => void serve(ways, request, response))
  fakes.push(fake)
  await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve))
  const { port } = fake.address() as AddressInfo
  return httpNode({ url: `http://127.0.0.1:${port}`, network: network.id, timeoutMs: 5_000 })
}

async function serve(ways: Ways, request: IncomingMessage, response: ServerResponse) {
  let text = ''
  for await (const part of request) text += String(part)
  const call: Call = JSON.parse(text)
  ways.heard?.(call)
  if (ways.respond?.(call, response)) return
  const headers = { 'content-type': 'application/json' }
  const behind = await fetch(node.rpcUrl, { method: 'POST', headers, body: text })
  const answer = Object(await behind.json())
  if (ways.result !== undefined && 'result' in answer)
    answer.result = ways.result(call, answer.result as never)
  response.end(JSON.stringify(answer))
}

/** Nodes with a clock that only a test moves. */
function together(nodes: readonly Rpc[], agree = 1, outvoted = 0) {
  const clock = { ms: 0 }
  const distrusted: string[] = []
  const rpc = severalNodes({
    ...{ network, nodes, agree, outvoted, now: () => clock.ms },
    onDistrust: ({ node: place, reason }) => void distrusted.push(`${place}: ${reason}`),
  })
  return { rpc, clock, distrusted }
}

/** The second of so many nodes answers after all others, and that much later by the clock. */
function withSlow(count: number, agree = 2) {
  const slow = { ms: 2_000, othersMs: 0 }
  const asked = { count: 0 }
  const underWay = new Set<Promise<unknown>>()
  const quick: Rpc = async (...call) => {
    const answer = real(...call).then((result) => {
      clock.ms += slow.othersMs
      return result
    })
    underWay.add(answer)
    await answer
    underWay.delete(answer)
    return answer
  }
  const late: Rpc = async (...call) => {
    asked.count++
    const answer = await real(...call)
    while (underWay.size > 0) await Promise.all(underWay)
    // So that whoever has asked them has read the clock.
    await new Promise((resolve) => setImmediate(resolve))
    clock.ms += slow.ms
    return answer
  }
  const nodes = Array.from({ length: count }, (_, i) => (i === 1 ? late : quick))
  const { clock, ...rest } = together(nodes, agree)
  return { ...rest, clock, slow, asked }
}

const isUnavailable = (error: unknown) => isFailure(error, 'chain.unavailable')
const gone: Ways = {
  respond: (_, response) => {
    response.destroy()
    return true
  },
}
const asBlock = (change: (block: Record<string, string>) => object): Ways => ({
  result: ({ method, params }, result) =>
    method === 'eth_getBlockByNumber' && params[0] === 'latest' ? change(result) : result,
})
const instead = (asked: string, change: (result: never) => unknown): Ways => ({
  result: ({ method }, result) => (method === asked ? change(result) : result),
})

async function paid(to: `0x${string}` = stranger) {
  const account = privateKeyToAccount(node.fundedPrivateKey as `0x${string}`)
  const wallet = createWalletClient({ account, chain: sepolia, transport: http(node.rpcUrl) })
  const nonce = Number(await real('eth_getTransactionCount', [account.address, 'latest']))
  const request = await wallet.prepareTransactionRequest({ to, value: 1n, nonce })
  const bytes = await wallet.signTransaction(request)
  const sent = { hash: keccak256(bytes), from: account.address, slot: BigInt(nonce) }
  return { sent, bytes }
}

const readListOf = (logs: unknown) => logs as readonly Readonly<Record<string, unknown>>[]

async function hashAt(number: unknown): Promise<string> {
  return Object(await real('eth_getBlockByNumber', [number, false])).hash
}

/** @returns the number of a block in which a token has moved */
async function logged(): Promise<unknown> {
  const coin = await deploy(real, 'Coin', ['Gold', 'GLD', 6])
  await coin.invoke('mint', [stranger, 1n])
  return real('eth_blockNumber', [])
}

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

describe('several nodes', () => {
  it('answer as one of them would', async () => {
    const { rpc, distrusted } = together([await fakeNode(), await fakeNode()])
    const { sent, bytes } = await paid()
    await real('eth_sendRawTransaction', [bytes])
    assert.equal((await evm.status(rpc, network, sent)).kind, 'pending')
    await mine(2)
    const fresh = together([await fakeNode(), await fakeNode()]).rpc
    assert.deepEqual(await evm.status(fresh, network, sent), await evm.status(real, network, sent))
    assert.equal(await evm.balance(fresh, stranger), await evm.balance(real, stranger))
    assert.deepEqual(distrusted, [])
  })

  it('leave one alone that does not answer, for longer each time, and ask it again later', async () => {
    const heard: string[] = []
    const first = await fakeNode({ ...gone, heard: ({ method }) => void heard.push(method) })
    const { rpc, clock } = together([first, await fakeNode()])
    const tries = async () => {
      heard.length = 0
      await rpc('eth_gasPrice', [])
      return heard.length
    }
    assert.deepEqual([await tries(), await tries()], [1, 0])
    clock.ms += 1_000
    assert.deepEqual([await tries(), await tries()], [1, 0])
    clock.ms += 1_000
    assert.equal(await tries(), 0)
    clock.ms += 1_000
    assert.equal(await tries(), 1)
    clock.ms += 30_000
    assert.equal(await tries(), 1)
  })

  const nonsense: Readonly<Record<string, Ways>> = {
    'breaks off': gone,
    'answers twice': {
      respond: ({ id }, response) => {
        const answer = JSON.stringify({ jsonrpc: '2.0', id, result: '0x1' })
        response.end(answer + answer)
        return true
      },
    },
    'answers another call': {
      respond: (_, response) => {
        response.end(JSON.stringify({ jsonrpc: '2.0', id: 99, result: '0x1' }))
        return true
      },
    },
    'is of another chain': instead('eth_chainId', () => '0x1'),
    'is of no chain that ends': {
      respond: ({ id, method }, response) => {
        if (method !== 'eth_chainId') return false
        response.end(
          `{"jsonrpc":"2.0","id":${id},"result":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
        )
        return true
      },
    },
    'has blocks without a hash': instead('eth_getBlockByNumber', (block) => ({
      ...Object(block),
      hash: undefined,
    })),
    'is behind the others': asBlock((block) => ({
      ...block,
      timestamp: `0x${(BigInt(block['timestamp'] ?? '0x0') - 61n).toString(16)}`,
    })),
  }
  for (const [name, ways] of Object.entries(nonsense))
    it(`do without one that ${name}`, async () => {
      const { rpc, distrusted } = together([await fakeNode(ways), await fakeNode()])
      assert.equal(await evm.balance(rpc, stranger), await evm.balance(real, stranger))
      assert.ok(distrusted.length > 0)
      assert.ok(distrusted.every((event) => event.startsWith('1: ')))
    })

  it('ask for the newest block once for all that is asked within a second, however long that took', async () => {
    const heard: string[] = []
    const passing = { ms: 0 }
    const slow = async (...call: Parameters<Rpc>) => {
      heard.push(call[0])
      const answer = await real(...call)
      clock.ms += passing.ms
      return answer
    }
    const { rpc, clock } = together([slow])
    passing.ms = 700
    await evm.balance(rpc, stranger)
    passing.ms = 0
    heard.length = 0
    await evm.balance(rpc, stranger)
    assert.deepEqual(heard, ['eth_getBalance'])
    clock.ms += 1_000
    await evm.balance(rpc, stranger)
    const looks = heard.filter((method) => method === 'eth_getBlockByNumber')
    assert.equal(looks.length, 2)
  })

  it('leave one alone that is much slower than the others, and ask it again a minute later', async () => {
    const { rpc, clock, distrusted, slow, asked } = withSlow(3)
    // Three questions, one after the other, of which two are asked of all.
    await evm.balance(rpc, stranger)
    assert.deepEqual(distrusted, [])
    // Once as quick as the others, it begins anew.
    slow.ms = 0
    await evm.balance(rpc, stranger)
    slow.ms = 2_000
    await evm.balance(rpc, stranger)
    assert.deepEqual(distrusted, [])
    for (let i = 0; i < 5; i++) await evm.balance(rpc, stranger)
    const once = ['2: it is much slower than the others']
    assert.deepEqual(distrusted, once)
    asked.count = 0
    for (let i = 0; i < 3; i++) {
      clock.ms += 10_000
      await evm.balance(rpc, stranger)
    }
    assert.deepEqual([asked.count, distrusted], [0, once])
    clock.ms += 30_000
    await evm.balance(rpc, stranger)
    assert.ok(asked.count > 0)
    assert.deepEqual(distrusted, [...once, ...once])
    slow.ms = 0
    clock.ms += 60_000
    for (let i = 0; i < 3; i++) await evm.balance(rpc, stranger)
    assert.deepEqual(distrusted.length, 2)
  })

  it('wait for the slow one where too few would be left without it, or all are slow', async () => {
    for (const { nodes, agree, ms = 2_000 } of [
      { nodes: 2, agree: 1 },
      { nodes: 3, agree: 3 },
      { nodes: 3, agree: 2, ms: 900 },
    ]) {
      const { rpc, distrusted, slow } = withSlow(nodes, agree)
      slow.ms = ms
      for (let i = 0; i < 15; i++) await evm.balance(rpc, stranger)
      assert.deepEqual(distrusted, [])
    }
    const { rpc, distrusted, slow } = withSlow(3)
    slow.othersMs = 600
    for (let i = 0; i < 15; i++) await evm.balance(rpc, stranger)
    assert.deepEqual(distrusted, [])
  })

  it('do without one whose chain has become shorter than it may', async () => {
    let lost = 0n
    const shrinking = asBlock((block) => ({
      ...block,
      number: `0x${(BigInt(block['number'] ?? '0x0') - lost).toString(16)}`,
    }))
    const { rpc, clock, distrusted } = together([await fakeNode(shrinking), await fakeNode()])
    await rpc('eth_blockNumber', [])
    lost = 3n
    clock.ms += 1_000
    await rpc('eth_blockNumber', [])
    assert.deepEqual(distrusted, ['1: it is behind itself'])
  })

  it('never ask one that is behind the others what one alone may answer, and look at it less and less', async () => {
    const heard: string[] = []
    const hourAgo = asBlock((block) => ({
      ...block,
      timestamp: `0x${(BigInt(block['timestamp'] ?? '0x0') - 3_600n).toString(16)}`,
    }))
    const lagging = await fakeNode({ ...hourAgo, heard: ({ method }) => void heard.push(method) })
    const { rpc, clock, distrusted } = together([lagging, await fakeNode(), await fakeNode()], 2)
    for (let second = 0; second < 120; second++) {
      for (const method of ['eth_call', 'eth_gasPrice'])
        await rpc(method, method === 'eth_call' ? [{ to: stranger }, 'latest'] : [])
      clock.ms += 1_000
    }
    const asked = new Set(heard)
    assert.deepEqual([...asked].sort(), ['eth_chainId', 'eth_getBlockByNumber'])
    // After 1, 2, 4, 8 and 16 seconds, then after 30 each time.
    assert.equal(distrusted.length, 8)
    assert.ok(distrusted.every((event) => event === '1: it is behind the others'))
  })

  it('ask one that was behind as before once it is in step, and try it again after a second', async () => {
    let isBehind = true
    const behind = asBlock((block) =>
      isBehind
        ? { ...block, timestamp: `0x${(BigInt(block['timestamp'] ?? '0x0') - 61n).toString(16)}` }
        : block,
    )
    const { rpc, clock, distrusted } = together([await fakeNode(behind), await fakeNode()])
    const events = async (seconds: number) => {
      const before = distrusted.length
      for (let second = 0; second < seconds; second++) {
        clock.ms += 1_000
        await rpc('eth_blockNumber', [])
      }
      return distrusted.length - before
    }
    assert.equal(await events(8), 4)
    isBehind = false
    assert.equal(await events(8), 0)
    isBehind = true
    assert.equal(await events(2), 2, 'its strikes are forgotten')
  })

  it('look less and less at one that says of an old block that it is the newest', async () => {
    const stale = asBlock((newest) => ({ ...newest, number: '0x1' }))
    await real('evm_increaseTime', ['0x78'])
    await mine(1)
    const { rpc, clock, distrusted } = together([await fakeNode(stale), await fakeNode()])
    for (let second = 0; second < 16; second++) {
      await rpc('eth_blockNumber', [])
      clock.ms += 1_000
    }
    assert.equal(distrusted.length, 5)
  })

  it('are not made to distrust each other by one of three that is ahead of time', async () => {
    const hasty = asBlock((block) => ({ ...block, number: '0xffffff', timestamp: '0xffffffffff' }))
    const { rpc, distrusted } = together([
      await fakeNode(),
      await fakeNode(),
      await fakeNode(hasty),
    ])
    assert.equal(await rpc('eth_blockNumber', []), await real('eth_blockNumber', []))
    assert.deepEqual(distrusted, [])
  })

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

  it('take what not all can have yet as not there', async () => {
    const { sent, bytes } = await paid()
    const before = await real('eth_blockNumber', [])
    await real('eth_sendRawTransaction', [bytes])
    await mine(1)
    const behind = asBlock((block) => ({ ...block, number: before }))
    const { rpc } = together([await fakeNode(), await fakeNode(behind)])
    assert.equal(await rpc('eth_getTransactionReceipt', [sent.hash]), null)
    assert.equal(
      await rpc('eth_getTransactionCount', [sent.from, 'latest']),
      `0x${sent.slot.toString(16)}`,
    )
    assert.equal(await rpc('eth_blockNumber', []), before)
    const newest = await real('eth_blockNumber', [])
    assert.equal(await rpc('eth_getBlockByNumber', [newest, false]), null)
  })

  it('count of what waits no more than all have seen, and no less than is in blocks', async () => {
    const from = privateKeyToAccount(node.fundedPrivateKey as `0x${string}`).address
    const mined = await real('eth_getTransactionCount', [from, 'latest'])
    const pending = (count: string): Ways => ({
      result: ({ method, params }, result) =>
        method === 'eth_getTransactionCount' && params[1] === 'pending' ? count : result,
    })
    for (const count of ['0xffff', '0x0']) {
      const { rpc } = together([await fakeNode(), await fakeNode(pending(count))])
      assert.equal(await rpc('eth_getTransactionCount', [from, 'pending']), mined)
    }
  })

  it('are sent a transaction all, so that none can keep it back', async () => {
    const { sent, bytes } = await paid()
    const keeping = await fakeNode({
      respond: ({ id, method }, response) => {
        if (method !== 'eth_sendRawTransaction') return false
        response.end(JSON.stringify({ jsonrpc: '2.0', id, result: sent.hash }))
        return true
      },
    })
    const { rpc } = together([keeping, await fakeNode()])
    assert.equal(await rpc('eth_sendRawTransaction', [bytes]), sent.hash)
    await mine(1)
    assert.notEqual(await real('eth_getTransactionReceipt', [sent.hash]), null)
  })

  it('pass on what one refuses', async () => {
    const { rpc } = together([await fakeNode(), await fakeNode()])
    await assert.rejects(rpc('eth_sendRawTransaction', ['0x00']), (error) =>
      isFailure(error, 'chain.refused'),
    )
  })

  it('are too few where two must agree and one is gone', async () => {
    const { rpc } = together([await fakeNode(gone), await fakeNode()], 2)
    await assert.rejects(evm.balance(rpc, stranger), isUnavailable)
    assert.notEqual(await rpc('eth_gasPrice', []), '')
    const nobody = together([await fakeNode(gone), await fakeNode(gone)])
    await assert.rejects(nobody.rpc('eth_gasPrice', []), isUnavailable)
    await assert.rejects(nobody.rpc('eth_blockNumber', []), isUnavailable)
  })
})
