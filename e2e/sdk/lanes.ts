import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DfnsApiClient } from '@dfns/sdk'
import { openChain, type Chain } from '../chain.ts'
import { type Platform, until } from '../platform.ts'
import { confirmed, confirmedMsMax, recipient, richWallet } from './transfers.ts'

const amount = '7'

/** Without blocks everything stays where it is; in the end they come again, once a second. */
async function withoutBlocks<T>({ rpc }: Chain, run: () => Promise<T>): Promise<T> {
  await rpc('evm_setIntervalMining', [0])
  try {
    return await run()
  } finally {
    await rpc('evm_setIntervalMining', [1])
  }
}

async function waiting(sdk: DfnsApiClient, walletId: string) {
  const body = { kind: 'Native', to: recipient, amount } as const
  const { id: transferId } = await sdk.wallets.transferAsset({ walletId, body })
  const named = { walletId, transferId }
  await until('the transfer is with a node', confirmedMsMax, async () => {
    return (await sdk.wallets.getTransfer(named)).status === 'Broadcasted'
  })
  return sdk.wallets.getTransfer(named)
}

type Named = { readonly walletId: string; readonly transactionId: string }

async function reached(sdk: DfnsApiClient, named: Named, wanted: 'Broadcasted' | 'Confirmed') {
  let found = await sdk.wallets.getTransaction(named)
  await until(`the transaction is ${wanted}`, confirmedMsMax, async () => {
    found = await sdk.wallets.getTransaction(named)
    assert.ok(!['Failed', 'Rejected'].includes(found.status), found.reason)
    return found.status === wanted
  })
  return found
}

export function lanes(platform: Platform): void {
  describe('a transfer that waits for a block', () => {
    it('is sped up, and paid once by whichever transaction the chain takes', async () => {
      const sdk = await platform.sdk()
      const chain = openChain(platform.bootstrap())
      const { id: walletId } = await richWallet(platform, sdk)
      const before = await chain.balance(recipient)
      const [slow, fast] = await withoutBlocks(chain, async () => {
        const slow = await waiting(sdk, walletId)
        const { id: transactionId } = await sdk.wallets.speedUpTransfer({
          ...{ walletId, transferId: slow.id },
        })
        const fast = await reached(sdk, { walletId, transactionId }, 'Broadcasted')
        return [slow, fast] as const
      })
      assert.ok(fast.requestBody.kind === 'SpeedUpTransaction')
      assert.equal(fast.requestBody.txHash, slow.txHash)
      assert.match(fast.requestBody.signedTx, /^0x02/)
      const done = await reached(sdk, { walletId, transactionId: fast.id }, 'Confirmed')
      assert.equal((await chain.balance(recipient)) - before, BigInt(amount))
      const { nonce } = await chain.transaction(done.txHash as `0x${string}`)
      assert.equal(nonce, 0)
      await hasGivenWay(sdk, { walletId, transferId: slow.id }, done.id)
    })

    it('is cancelled, and the next one is paid', async () => {
      const sdk = await platform.sdk()
      const chain = openChain(platform.bootstrap())
      const { id: walletId, address } = await richWallet(platform, sdk)
      const before = await chain.balance(recipient)
      const [gone, cancelling] = await withoutBlocks(chain, async () => {
        const gone = await waiting(sdk, walletId)
        const named = { walletId, transferId: gone.id }
        await assert.rejects(sdk.wallets.abortTransfer(named), { httpStatus: 409 })
        return [gone, await sdk.wallets.cancelTransfer(named)] as const
      })
      assert.equal(cancelling.requestBody.kind, 'CancelTransaction')
      const done = await reached(sdk, { walletId, transactionId: cancelling.id }, 'Confirmed')
      const { to, value } = await chain.transaction(done.txHash as `0x${string}`)
      assert.deepEqual([to?.toLowerCase(), value], [address.toLowerCase(), 0n])
      assert.equal(await chain.balance(recipient), before)
      await hasGivenWay(sdk, { walletId, transferId: gone.id }, done.id)
      const again = { walletId, transferId: gone.id }
      await assert.rejects(sdk.wallets.speedUpTransfer(again), { httpStatus: 409 })
      const body = { kind: 'Native', to: recipient, amount } as const
      const { id: transferId } = await sdk.wallets.transferAsset({ walletId, body })
      await confirmed(sdk, { walletId, transferId })
      assert.equal(await chain.sent(address), 2)
    })
  })
}

async function hasGivenWay(
  sdk: DfnsApiClient,
  named: { readonly walletId: string; readonly transferId: string },
  to: string,
): Promise<void> {
  let transfer = await sdk.wallets.getTransfer(named)
  await until('the transfer has given way', confirmedMsMax, async () => {
    transfer = await sdk.wallets.getTransfer(named)
    return transfer.status === 'Failed'
  })
  assert.equal(transfer.replacementId, to)
  assert.match(transfer.reason ?? '', /^(replaced|cancelled) by tx-/)
}
