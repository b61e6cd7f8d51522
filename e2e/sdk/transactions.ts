import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DfnsApiClient } from '@dfns/sdk'
import { deploy } from '@quorate/devnet/testing/deploy'
import { type Hex, serializeTransaction } from 'viem'
import { openChain, fees } from '../chain.ts'
import { type Platform, until } from '../platform.ts'
import { confirmedMsMax, recipient, richWallet } from './transfers.ts'

type Body = Parameters<DfnsApiClient['wallets']['broadcastTransaction']>[0]['body']

/** @returns the transaction as the chain has it */
async function broadcast(platform: Platform, walletId: string, body: Body) {
  const sdk = await platform.sdk()
  const { id: transactionId } = await sdk.wallets.broadcastTransaction({ walletId, body })
  const named = { walletId, transactionId }
  await until('the transaction is confirmed', confirmedMsMax, async () => {
    const { status, reason } = await sdk.wallets.getTransaction(named)
    assert.ok(!['Failed', 'Rejected'].includes(status), reason)
    return status === 'Confirmed'
  })
  const { txHash = '', requestBody } = await sdk.wallets.getTransaction(named)
  assert.deepEqual(requestBody, body)
  return openChain(platform.bootstrap()).transaction(txHash as Hex)
}

export function otherTransactions(platform: Platform): void {
  describe('a transaction of the caller’s own making, in other forms', () => {
    it('is broadcast as bytes with an access list, and as the deprecated kinds', async () => {
      const { id: walletId } = await richWallet(platform, await platform.sdk())
      const { maxFeePerGas: gasPrice } = fees
      const listed = serializeTransaction({
        ...{ type: 'eip2930', chainId: 11155111, nonce: 0, gas: 40_000n, gasPrice, value: 3n },
        accessList: [{ address: recipient, storageKeys: [`0x${'01'.repeat(32)}`] }],
        to: recipient,
      })
      const asked = (body: Body) => broadcast(platform, walletId, body)
      assert.equal((await asked({ kind: 'Transaction', transaction: listed })).type, 'eip2930')
      const call = { to: recipient, value: '3', data: '0xc0ffee' }
      for (const body of [
        { kind: 'Evm', ...call, nonce: 1, gasLimit: '40000' },
        {
          kind: 'Eip1559',
          ...call,
          ...{ maxFeePerGas: `${gasPrice}`, maxPriorityFeePerGas: '0x1' },
        },
      ] as const) {
        const { type, value } = await asked(body)
        assert.deepEqual([type, value], ['eip1559', 3n])
      }
    })

    it('gives its own account the code of a contract (EIP-7702), by its own authorization', async () => {
      const sdk = await platform.sdk()
      const { id: walletId, address } = await richWallet(platform, sdk)
      const { rpc } = openChain(platform.bootstrap())
      const { address: contract } = await deploy(rpc, 'Sets')
      // Its own transaction uses the nonce before.
      const delegation = { address: contract, nonce: 1, chainId: 11155111 }
      const { signature } = await sdk.wallets.generateSignature({
        walletId,
        body: { kind: 'Eip7702', ...delegation },
      })
      const authorization = { ...delegation, signature: signature?.encoded }
      const transaction = { type: 4, to: recipient, authorizationList: [authorization] }
      const { type } = await broadcast(platform, walletId, { kind: 'Transaction', transaction })
      assert.equal(type, 'eip7702')
      const code = await rpc('eth_getCode', [address, 'latest'])
      assert.equal(code, `0xef0100${contract.slice(2).toLowerCase()}`)
    })
  })
}
