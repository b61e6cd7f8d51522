import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Failure, isFailure } from '@quorate/core/failure'
import { type RunningEthereum, startEthereum } from '@quorate/devnet/ethereum'
import { contracts } from '@quorate/devnet/testing/contracts'
import { deploy } from '@quorate/devnet/testing/deploy'
import { type Abi, encodeFunctionData } from 'viem'
import type { Block, Rpc } from '../adapter.ts'
import { httpNode } from '../nodes.ts'
import { ethereumSepolia as network } from '../testing/sepolia.ts'
import { findBlock } from './blocks.ts'
import { evm } from './index.ts'

const owner = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'

describe('traces of a block', () => {
  let node: RunningEthereum
  let rpc: Rpc
  let payer: string
  const dataDir = mkdtempSync(join(tmpdir(), 'quorate-traces-'))
  before(async () => {
    node = await startEthereum({ dataDir })
    rpc = httpNode({ url: node.rpcUrl, network: network.id })
    await rpc('evm_setIntervalMining', [0])
    await rpc('evm_setAutomine', [false])
    payer = evm.parseAddress((await deploy(rpc, 'Payer')).address)
  })
  after(async () => {
    await node.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })

  it('tell what a contract pays on, and not what is paid outright', async () => {
    const block = await called('pass')
    assert.deepEqual(
      (await evm.internalPayments(rpc, block)).map(({ from, to, value }) => [from, to, value]),
      [[payer, owner, 9n]],
    )
    const outright = await sent({ to: owner, value: '0x9' })
    assert.deepEqual(await evm.internalPayments(rpc, outright), [])
  })

  it('tell nothing of what was put back', async () => {
    assert.deepEqual(await evm.internalPayments(rpc, await called('passAndFail')), [])
    // INVALID as code: the payment on to it fails, and the whole transaction with it.
    await rpc('anvil_setCode', [owner, '0xfe'])
    assert.deepEqual(await evm.internalPayments(rpc, await called('pass')), [])
    await rpc('anvil_setCode', [owner, '0x'])
  })

  it('tell of what a contract leaves at its end', async () => {
    // PUSH20 the owner, SELFDESTRUCT: a contract that ends while it is made.
    const block = await sent({ data: `0x73${owner.slice(2)}ff`, value: '0x5' })
    const payments = await evm.internalPayments(rpc, block)
    assert.deepEqual(
      payments.map(({ to, value }) => [to, value]),
      [[owner, 5n]],
    )
  })

  it('are no answer when they are of other transactions', async () => {
    const block = await called('pass')
    const others: Readonly<Record<string, (traces: readonly object[]) => unknown>> = {
      'too few': () => [],
      'of another transaction': ([trace]) => [{ ...trace, txHash: block.hash }],
      'of another sender': ([trace]) => [
        { ...trace, result: { ...Object(Object(trace).result), from: owner } },
      ],
      'no list': () => ({}),
    }
    for (const [name, change] of Object.entries(others)) {
      const lying: Rpc = async (method, params) =>
        change((await rpc(method, params)) as readonly object[])
      await assert.rejects(
        evm.internalPayments(lying, block),
        (error) => isFailure(error, 'chain.refused'),
        name,
      )
    }
  })

  it('are lost of no transaction but the one that the fake node does not trace', async () => {
    const [from] = (await rpc('eth_accounts', [])) as [string]
    const data = encodeFunctionData({
      ...{ abi: contracts.Payer.abi as Abi, functionName: 'pass', args: [owner] },
    })
    const paid = { from, to: payer, value: '0x9', data, gas: '0x30d40' }
    for (const _ of [1, 2, 3]) await rpc('eth_sendTransaction', [paid])
    await rpc('anvil_mine', ['0x1'])
    const block = await findBlock(rpc, 'latest')
    const hashes = block?.transactions.map(({ hash }) => hash) ?? []
    assert.ok(block !== undefined && hashes.length === 3)
    const tooLong = () => new Failure('chain.refused', { network: network.id, reason: 'too long' })
    const refusing = (...refused: readonly unknown[]): Rpc => {
      return async (method, params) => {
        if (method === 'debug_traceBlockByHash' || refused.includes(params[0])) throw tooLong()
        if (refused.includes(method)) throw tooLong()
        return rpc(method, params)
      }
    }
    for (const hash of hashes)
      assert.deepEqual(
        (await evm.internalPayments(refusing(hash), block)).map((payment) => payment.hash),
        hashes.filter((other) => other !== hash),
      )
    assert.deepEqual(await evm.internalPayments(refusing(...hashes), block), [])
    await assert.rejects(
      evm.internalPayments(refusing(hashes[0], 'debug_traceCall'), block),
      (error) => isFailure(error, 'chain.refused'),
      'a node that traces nothing at all',
    )
    const late: Rpc = async (method, params) => {
      const [, ...others] = (await rpc(method, params)) as readonly object[]
      return [{ txHash: hashes[0], error: 'execution timeout' }, ...others]
    }
    assert.equal((await evm.internalPayments(late, block)).length, 2)
  })

  it('concern addresses of ours in the direction of the payment', async () => {
    const block = await called('pass')
    const payments = await evm.internalPayments(rpc, block)
    const of = (address: string) => evm.internalTransfersOf(block, payments, new Set([address]))
    assert.deepEqual(
      [of(owner), of(payer), of(network.id)].map((found) => found[0]?.direction),
      ['In', 'Out', undefined],
    )
  })

  function called(functionName: string): Promise<Block> {
    const abi = contracts.Payer.abi as Abi
    const data = encodeFunctionData({ abi, functionName, args: [owner] })
    return sent({ to: payer, value: '0x9', data, gas: '0x30d40' })
  }

  async function sent(transaction: object): Promise<Block> {
    const [from] = (await rpc('eth_accounts', [])) as string[]
    await rpc('eth_sendTransaction', [{ from, gas: '0x30d40', ...transaction }])
    await rpc('anvil_mine', ['0x1'])
    const block = await findBlock(rpc, 'latest')
    assert.ok(block)
    return block
  }
})
