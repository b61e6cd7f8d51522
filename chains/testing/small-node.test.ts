import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { toHex } from '@quorate/core/bytes'
import { deployOnce } from '@quorate/devnet/deploy'
import { startEthereum } from '@quorate/devnet/ethereum'
import { deploy } from '@quorate/devnet/testing/deploy'
import { accountAddress, deployment, isUsed } from '../evm/account/account.ts'
import { httpNode } from '../nodes.ts'
import { Bench, type NodeUnderTest } from './node-bench.ts'
import { describeNode } from './node-suite.ts'
import { ethereumSepolia } from './sepolia.ts'
import { SmallChain } from './small-chain.ts'
import { coin as smallCoin } from './small-coin.ts'
import { SmallNode } from './small-node.ts'
import { Pair } from './sponsored-suite.ts'

describeNode('a real node', startReal)
describeNode('its stand-in', async () => small().stands)

describe('a stand-in that has not read its chain to the end', () => {
  it('knows of no code that an account runs since, and of nothing that was carried out', async () => {
    const { chain, node, stands } = small()
    const bench = new Bench()
    bench.open(stands)
    const pair = await Pair.make(bench)
    const inner = await pair.sign([])
    await pair.send(inner, [await pair.authorization()])
    const { address } = pair.account
    node.lag = 1
    assert.equal(await pair.delegation(), 'none')
    assert.equal(await isUsed(node.rpc, address, inner.terms.nonce), false)
    await pair.refuses(await pair.sign([]))
    node.lag = 0
    assert.equal(await pair.delegation(), 'ours')
    assert.equal(await isUsed(node.rpc, address, inner.terms.nonce), true)
    const then = `0x${(chain.head.number - 1).toString(16)}`
    assert.equal(await node.rpc('eth_getCode', [address, then]), '0x')
  })
})

async function startReal(): Promise<NodeUnderTest> {
  const dataDir = mkdtempSync(join(tmpdir(), 'quorate-node-suite-'))
  const node = await startEthereum({ dataDir })
  const rpc = httpNode({ url: node.rpcUrl, network: ethereumSepolia.id })
  await rpc('evm_setIntervalMining', [0])
  await rpc('evm_setAutomine', [true])
  const { to, data } = deployment()
  await deployOnce(node.rpcUrl, { address: accountAddress, to, data: `0x${toHex(data)}` })
  await rpc('evm_setAutomine', [false])
  const coin = await deploy(rpc, 'Coin', ['Gold', smallCoin.symbol, smallCoin.decimals])
  return {
    ...{ rpc, coin: coin.address },
    endow: async (address, wei) => void (await rpc('anvil_setBalance', [address, hexOf(wei)])),
    endowUnits: async (address, units) => coin.invoke('mint', [address, units]),
    mine: async (blocks) => {
      await rpc('evm_increaseTime', [1])
      await rpc('anvil_mine', [hexOf(blocks)])
    },
    reorganize: async (depth) => void (await rpc('anvil_reorg', [depth, []])),
    drop: async (hash) => void (await rpc('anvil_dropTransaction', [hash])),
    stop: async () => {
      await node.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

function small(): {
  readonly chain: SmallChain
  readonly node: SmallNode
  readonly stands: NodeUnderTest
} {
  const chain = new SmallChain(ethereumSepolia.chainId, 1_800_000_000)
  const node = new SmallNode(chain)
  const made = () => ({ timestamp: chain.head.timestamp + 12, baseFee: 10n ** 9n })
  const stands: NodeUnderTest = {
    ...{ rpc: node.rpc, coin: smallCoin.address },
    endow: async (address, balance) => chain.endow(address.toLowerCase(), { balance }),
    endowUnits: async (address, units) => chain.endow(address.toLowerCase(), { units }),
    mine: async (blocks) => {
      for (let i = 0; i < blocks; i++) {
        chain.mine(
          [...node.pool.values()].flatMap((own) => inOrder(own)),
          made(),
        )
        node.forget()
      }
    },
    reorganize: async (depth) => {
      for (let i = 0; i < depth; i++) chain.unmine()
      for (let i = 0; i < depth; i++) chain.mine([], made())
    },
    drop: async (hash) => {
      const tx = node.pooled(hash)
      if (tx !== undefined) node.drop(tx)
    },
    stop: async () => undefined,
  }
  return { chain, node, stands }
}

function inOrder<T>(own: ReadonlyMap<number, T>): readonly T[] {
  return [...own].toSorted(([a], [b]) => a - b).map(([, tx]) => tx)
}

function hexOf(value: bigint | number): string {
  return `0x${value.toString(16)}`
}
