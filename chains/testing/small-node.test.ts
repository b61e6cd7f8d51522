import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '@quorate/core/bytes'
import { deployOnce } from '@quorate/devnet/deploy'
import { startEthereum } from '@quorate/devnet/ethereum'
import { deploy } from '@quorate/devnet/testing/deploy'
import { accountAddress, deployment } from '../evm/account/account.ts'
import { httpNode } from '../nodes.ts'
import type { NodeUnderTest } from './node-bench.ts'
import { describeNode } from './node-suite.ts'
import { ethereumSepolia } from './sepolia.ts'
import { SmallChain } from './small-chain.ts'
import { coin as smallCoin } from './small-coin.ts'
import { SmallNode } from './small-node.ts'

describeNode('a real node', startReal)
describeNode('its stand-in', startSmall)

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

async function startSmall(): Promise<NodeUnderTest> {
  const chain = new SmallChain(ethereumSepolia.chainId, 1_800_000_000)
  const node = new SmallNode(chain)
  const made = () => ({ timestamp: chain.head.timestamp + 12, baseFee: 10n ** 9n })
  return {
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
}

function inOrder<T>(own: ReadonlyMap<number, T>): readonly T[] {
  return [...own].toSorted(([a], [b]) => a - b).map(([, tx]) => tx)
}

function hexOf(value: bigint | number): string {
  return `0x${value.toString(16)}`
}
