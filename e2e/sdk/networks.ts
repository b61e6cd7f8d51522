import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createPublicClient, createTestClient, encodeFunctionData, http } from 'viem'
import { sepolia } from 'viem/chains'
import type { Platform } from '../platform.ts'

const network = 'EthereumSepolia'
/** Gives back its arguments: returns the calldata from its fifth byte on. */
const echo = { address: `0x${'ec'.repeat(20)}`, bytecode: '0x600436038060045f375ff3' } as const
const scale = {
  type: 'function',
  name: 'scale',
  stateMutability: 'view',
  inputs: [
    { name: 'owner', type: 'address' },
    { name: 'decimals', type: 'uint8' },
  ],
  outputs: [
    { name: '', type: 'address' },
    { name: '', type: 'uint8' },
  ],
} as const
const owner = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'

/** By somebody who has never heard of Quorate, at the node itself. */
function openNode(platform: Platform) {
  const { rpcUrl } = platform.bootstrap().devnet.EthereumSepolia
  const options = { chain: sepolia, transport: http(rpcUrl) }
  return {
    reader: createPublicClient(options),
    tester: createTestClient({ ...options, mode: 'anvil' }),
  }
}

export function networks(platform: Platform): void {
  describe('a network', () => {
    it('says what a transaction costs now, at three degrees of haste', async () => {
      const sdk = await platform.sdk()
      const { reader } = openNode(platform)
      const before = await reader.getBlockNumber()
      const fees = await sdk.networks.getFees({ query: { network } })
      assert.ok(fees.kind === 'Eip1559' && fees.network === network)
      assert.ok(BigInt(fees.blockNumber) >= before)
      const levels = [fees.slow, fees.standard, fees.fast]
      const [slow = 0n, standard = 0n, fast = 0n] = levels.map((one) => BigInt(one.maxFeePerGas))
      assert.ok(BigInt(fees.baseFeePerGas) < slow && slow < standard && standard < fast)
      for (const level of levels)
        assert.ok(BigInt(level.maxPriorityFeePerGas) <= BigInt(level.maxFeePerGas))
    })

    it('answers a call of a contract as the contract does', async () => {
      const sdk = await platform.sdk()
      const { reader, tester } = openNode(platform)
      await tester.setCode(echo)
      const body = {
        contract: echo.address,
        abi: { ...scale, inputs: [...scale.inputs], outputs: [...scale.outputs] },
        calldata: { owner, decimals: 6 },
      }
      const answer: unknown = await sdk.networks.callFunction({ network: 'ethereum-sepolia', body })
      assert.deepEqual(answer, [owner, '6'])
      const data = encodeFunctionData({ abi: [scale], args: [owner, 6] })
      const { data: plain } = await reader.call({ to: echo.address, data })
      assert.equal(plain?.slice(-1), '6')
    })

    it('takes a wallet on a key that has one elsewhere, at one address, unless it is retired', async () => {
      const sdk = await platform.sdk()
      const first = await sdk.wallets.createWallet({ body: { network } })
      const signingKey = { id: first.signingKey.id }
      const second = await sdk.wallets.createWallet({ body: { network: 'Base', signingKey } })
      assert.equal(second.address, first.address)
      assert.equal(second.signingKey.id, first.signingKey.id)
      const again = { network: 'Base', signingKey } as const
      await assert.rejects(sdk.wallets.createWallet({ body: again }), { httpStatus: 409 })
      for (const body of [{ network: 'EthereumGoerli', signingKey }, { network: 'EthereumGoerli' }])
        await assert.rejects(sdk.wallets.createWallet({ body: body as typeof again }), {
          httpStatus: 400,
        })
    })

    it('has no fees and no contracts where it is none, has no node, or is not named right', async () => {
      const sdk = await platform.sdk()
      const fees = (name: string) =>
        sdk.networks.getFees({ query: { network: name as typeof network } })
      await assert.rejects(fees('Bitcoin'), { httpStatus: 400 })
      await assert.rejects(fees('KeyECDSA'), { httpStatus: 400 })
      await assert.rejects(fees('Base'), { httpStatus: 503 })
      const call = (name: string, change: object = {}) =>
        sdk.networks.callFunction({
          network: name,
          body: { contract: echo.address, abi: { ...scale, inputs: [], outputs: [], ...change } },
        })
      await assert.rejects(call(network), { httpStatus: 400 })
      await assert.rejects(call('base'), { httpStatus: 503 })
      await assert.rejects(call('ethereum-sepolia', { stateMutability: 'nonpayable' }), {
        httpStatus: 400,
      })
      const endless = [{ name: 'x', type: 'uint256[0][]' }]
      await assert.rejects(call('ethereum-sepolia', { outputs: endless }), { httpStatus: 400 })
    })
  })
}
