import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Failure, isFailure } from '@quorate/core/failure'
import { type RunningEthereum, startEthereum } from '@quorate/devnet/ethereum'
import { contracts } from '@quorate/devnet/testing/contracts'
import { deploy, type Deployed } from '@quorate/devnet/testing/deploy'
import { type Abi, encodeFunctionData } from 'viem'
import type { Block, Rpc } from '../adapter.ts'
import { httpNode } from '../nodes.ts'
import { ethereumSepolia as network } from '../testing/sepolia.ts'
import { findBlock } from './blocks.ts'
import { evm } from './index.ts'

const owner = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const nobody = `0x${'00'.repeat(20)}`

describe('logs of tokens', () => {
  let node: RunningEthereum
  let rpc: Rpc
  let coin: Deployed
  let pieces: Deployed
  let sets: Deployed
  const dataDir = mkdtempSync(join(tmpdir(), 'quorate-token-logs-'))
  before(async () => {
    node = await startEthereum({ dataDir })
    rpc = httpNode({ url: node.rpcUrl, network: network.id })
    await rpc('evm_setIntervalMining', [0])
    await rpc('evm_setAutomine', [false])
    coin = await deploy(rpc, 'Coin', ['Gold', 'GLD', 6])
    pieces = await deploy(rpc, 'Pieces')
    sets = await deploy(rpc, 'Sets')
  })
  after(async () => {
    await node.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })

  it('tell of coins, pieces, and several units of pieces at once', async () => {
    await coin.invoke('mint', [owner, 5n])
    assert.deepEqual(await seen(), [{ kind: 'Erc20', contract: named(coin), value: 5n }])
    await pieces.invoke('mint', [owner, 7n])
    assert.deepEqual(await seen(), [
      { kind: 'Erc721', contract: named(pieces), tokenId: 7n, value: 1n },
    ])
    await sets.invoke('mint', [owner, 7n, 9n])
    const set = { kind: 'Erc1155', contract: named(sets) }
    assert.deepEqual(await seen(), [{ ...set, tokenId: 7n, value: 9n }])
    await sets.invoke('mintSome', [owner, [1n, 2n], [3n, 4n]])
    assert.deepEqual(await seen(), [
      { ...set, tokenId: 1n, value: 3n },
      { ...set, tokenId: 2n, value: 4n },
    ])
  })

  it('are no answer when the block knows of more, and are asked for again', async () => {
    await coin.invoke('mint', [owner, 5n])
    const block = await newest()
    const without = (count: number) => answering((logs) => logs.slice(count))
    assert.equal((await evm.tokenLogs(without(0), block)).logs.length, 1)
    await assert.rejects(evm.tokenLogs(without(1), block), (error) =>
      isFailure(error, 'chain.refused'),
    )
    const others = answering((logs) => logs.map((log) => ({ ...log, blockHash: block.parentHash })))
    await assert.rejects(evm.tokenLogs(others, block), (error) => isFailure(error, 'chain.refused'))
  })

  it('are asked of each transaction when a node lists no block’s', async () => {
    await coin.invoke('mint', [owner, 5n])
    const refusing: Rpc = async (method, params) => {
      if (method !== 'eth_getLogs') return rpc(method, params)
      throw new Failure('chain.refused', { network: network.id, reason: 'too many' })
    }
    assert.equal((await evm.tokenLogs(refusing, await newest())).logs.length, 1)
  })

  it('are had by their kinds where a fake node says of a receipt that it is too long', async () => {
    const { block, hashes } = await twoInOneBlock()
    const [long = ''] = hashes
    const refusing = (isRefused: (method: string, asked: unknown) => boolean): Rpc => {
      return async (method, params) => {
        const topics = Object(params[0])['topics']
        if (method === 'eth_getLogs' && topics === undefined) throw tooLong()
        if (params[0] === long || isRefused(method, topics?.[0]?.[0])) throw tooLong()
        return rpc(method, params)
      }
    }
    const { logs, ...about } = await evm.tokenLogs(
      refusing(() => false),
      block,
    )
    assert.deepEqual(about, { unread: new Set([long]), isWhole: true })
    assert.deepEqual(logs.map(({ hash }) => hash).toSorted(), hashes.toSorted())
    const [transfer] = await topics()
    const some = await evm.tokenLogs(
      refusing((_, kind) => kind === transfer),
      block,
    )
    assert.deepEqual([some.isWhole, some.logs.map(({ hash }) => hash)], [false, hashes.slice(1)])
    await assert.rejects(
      evm.tokenLogs(
        refusing((method) => method === 'eth_getLogs'),
        block,
      ),
      (error) => isFailure(error, 'chain.refused'),
      'one that refuses whatever it is asked has said nothing of this block',
    )
    const lagging: Rpc = async (method, params) => {
      const answer = await refusing(() => false)(method, params)
      return method === 'eth_getLogs' ? [] : answer
    }
    await assert.rejects(evm.tokenLogs(lagging, block), (error) =>
      isFailure(error, 'chain.refused'),
    )
  })

  it('are passed over in any other form, which no contract can stop us with', async () => {
    await coin.invoke('mint', [owner, 5n])
    const { logsBloom: _, ...block } = await newest()
    const word = (value: bigint) => value.toString(16).padStart(64, '0')
    const [transfer] = await topics()
    const single = '0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62'
    const batch = '0x4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb'
    const account = `0x${word(1n)}`
    const noAccount = `0x${'ff'.repeat(32)}`
    const three = [account, account, account]
    const odd: readonly (readonly [readonly (string | undefined)[], string])[] = [
      [[], ''],
      [[transfer], word(1n).repeat(3)],
      [[transfer, account], word(1n)],
      [[transfer, noAccount, account], word(1n)],
      [[transfer, account, account], ''],
      [[transfer, ...three], word(1n)],
      [[single, ...three], word(1n)],
      [[single, account, account], word(1n).repeat(2)],
      [[batch, ...three], ''],
      [[batch, ...three], word(64n) + word(2n ** 255n)],
      [[batch, ...three], word(64n) + word(64n) + word(2n ** 200n) + word(1n)],
      [[batch, ...three], word(64n) + word(128n) + word(1n) + word(1n) + word(2n) + word(1n)],
    ]
    for (const [given, data] of odd) {
      const change = { topics: given, data: `0x${data}` }
      const writing = answering((logs) => logs.map((log) => ({ ...log, ...change })))
      assert.deepEqual((await evm.tokenLogs(writing, block)).logs, [], JSON.stringify(change))
    }
  })

  it('concern addresses of ours in both directions, with the fee of whoever paid it', async () => {
    const [funded] = (await rpc('eth_accounts', [])) as [string]
    const payer = evm.parseAddress(funded)
    await coin.invoke('mint', [payer, 8n])
    await coin.invoke('transfer', [owner, 3n])
    const block = await newest()
    const { logs } = await evm.tokenLogs(rpc, block)
    const both = await evm.tokenTransfersOf(rpc, { block, logs }, new Set([payer, owner]))
    assert.deepEqual(
      both.map(({ direction, address, value }) => [direction, address, value]),
      [
        ['Out', payer, 3n],
        ['In', owner, 3n],
      ],
    )
    const [out, into] = both
    assert.ok(out?.fee !== undefined && out.fee > 0n)
    assert.equal(into?.fee, undefined)
    assert.equal(out.blockHash, block.hash)
  })

  it('of nothing are nobody’s: anybody can have a coin say them', async () => {
    await coin.invoke('transferFrom', [owner, nobody, 0n])
    const block = await newest()
    const { logs } = await evm.tokenLogs(rpc, block)
    assert.equal(logs.length, 1)
    assert.deepEqual(await evm.tokenTransfersOf(rpc, { block, logs }, new Set([owner])), [])
  })

  function tooLong(): Failure {
    return new Failure('chain.refused', { network: network.id, reason: 'the answer is too long' })
  }

  async function twoInOneBlock() {
    const [from] = (await rpc('eth_accounts', [])) as [string]
    const abi = contracts.Coin.abi as Abi
    const data = encodeFunctionData({ abi, functionName: 'mint', args: [owner, 5n] })
    const minting = { from, to: coin.address, data, gas: '0x30d40' }
    for (const _ of [1, 2]) await rpc('eth_sendTransaction', [minting])
    await rpc('anvil_mine', ['0x1'])
    const block = await newest()
    const hashes = block.transactions.map(({ hash }) => hash)
    assert.equal(hashes.length, 2)
    return { block, hashes }
  }

  async function newest(): Promise<Block> {
    const block = await findBlock(rpc, 'latest')
    assert.ok(block)
    return block
  }

  async function seen() {
    const { logs } = await evm.tokenLogs(rpc, await newest())
    return logs.map(({ from, to, hash, transactionIndex, logIndex, position, ...rest }) => {
      assert.deepEqual([from, to, transactionIndex, logIndex], [nobody, owner, 0, 0])
      assert.match(hash, /^0x[0-9a-f]{64}$/)
      assert.ok(position >= 0)
      return rest
    })
  }

  async function topics(): Promise<readonly (string | undefined)[]> {
    const [log] = await logsOf()
    return log?.topics ?? []
  }

  async function logsOf() {
    const { hash } = await newest()
    return (await rpc('eth_getLogs', [{ blockHash: hash }])) as Log[]
  }

  type Log = { readonly topics: readonly string[]; readonly blockHash: string }

  function answering(change: (logs: Log[]) => readonly object[]): Rpc {
    return async (method, params) => {
      const answer = await rpc(method, params)
      return method === 'eth_getLogs' ? change(answer as Log[]) : answer
    }
  }
})

function named({ address }: Deployed): string {
  return evm.parseAddress(address)
}
