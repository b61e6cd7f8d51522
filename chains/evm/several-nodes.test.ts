import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isFailure } from '@quorate/core/failure'
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
import { evm } from './index.ts'

const { real, fakeNode, mine, paid, funded } = besideRealNode()

const isUnavailable = (error: unknown) => isFailure(error, 'chain.unavailable')

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
    const from = funded()
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
