import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DfnsApiClient } from '@dfns/sdk'
import { parseEther } from 'viem'
import { fees, openChain, unsignedBytes } from '../chain.ts'
import { entry, type Platform, until } from '../platform.ts'
import { ethereumWallet } from './wallets.ts'

/** A block a second, a few confirmations, and a machine that has other things to do. */
export const confirmedMsMax = 30_000
export const recipient = `0x${'77'.repeat(20)}` as const

type Named = { readonly walletId: string; readonly transferId: string }

/** @returns the transfer as it stands in the end */
export async function confirmed(sdk: DfnsApiClient, named: Named, waitMs = confirmedMsMax) {
  let transfer = await sdk.wallets.getTransfer(named)
  await until('the transfer is confirmed', waitMs, async () => {
    transfer = await sdk.wallets.getTransfer(named)
    assert.ok(!['Failed', 'Rejected'].includes(transfer.status), transfer.reason)
    return transfer.status === 'Confirmed'
  })
  return transfer
}

/** A wallet with two ether on it. */
export async function richWallet(platform: Platform, sdk: DfnsApiClient) {
  const wallet = await ethereumWallet(sdk)
  await openChain(platform.bootstrap()).fund(wallet.address, '2')
  return wallet
}

export function transfers(platform: Platform): void {
  describe('a transfer', () => {
    it('pays on the chain what was asked, and ends confirmed; history and assets tell it', async () => {
      const sdk = await platform.sdk()
      const chain = openChain(platform.bootstrap())
      const { id: walletId, address } = await richWallet(platform, sdk)
      const before = await chain.balance(recipient)
      const amount = parseEther('0.5')
      const made = await sdk.wallets.transferAsset({
        walletId,
        body: { kind: 'Native', to: recipient, amount: String(amount), externalId: 'bill 1' },
      })
      assert.match(made.id, /^xfr-/)
      assert.equal(made.externalId, 'bill 1')
      assert.deepEqual(made.metadata.asset, { symbol: 'ETH', decimals: 18, verified: true })
      const named = { walletId, transferId: made.id }
      const { txHash = '', fee = '0', dateConfirmed = '' } = await confirmed(sdk, named)
      assert.ok(Date.parse(dateConfirmed) >= Date.parse(made.dateRequested))
      const { from, to, value, nonce } = await chain.transaction(txHash as `0x${string}`)
      assert.deepEqual(
        [from, to, value, nonce].map((part) => String(part).toLowerCase()),
        [address.toLowerCase(), recipient, String(amount), '0'],
      )
      assert.equal((await chain.balance(recipient)) - before, amount)
      const left = await chain.balance(address)
      assert.equal(left, parseEther('2') - amount - BigInt(fee))
      const { assets } = await sdk.wallets.getWalletAssets({ walletId })
      assert.equal(entry(assets, 0).balance, String(left))
      await tellsHistory(sdk, walletId, amount)
    })
  })
}

export function moreTransfers(platform: Platform): void {
  describe('a transfer beside others', () => {
    it('of the same external id is the same transfer; of another body it is a conflict', async () => {
      const sdk = await platform.sdk()
      const { id: walletId } = await richWallet(platform, sdk)
      const ask = (amount: string) =>
        sdk.wallets.transferAsset({
          walletId,
          body: { kind: 'Native', to: recipient, amount, externalId: `bill of ${walletId}` },
        })
      const first = await ask('5')
      assert.equal((await ask('5')).id, first.id)
      await assert.rejects(ask('6'), { httpStatus: 409 })
      await confirmed(sdk, { walletId, transferId: first.id })
      const { items } = await sdk.wallets.listTransfers({ walletId })
      assert.equal(items.length, 1)
    })

    it('that the wallet cannot pay fails, says why, and never reaches the chain', async () => {
      const sdk = await platform.sdk()
      const { id: walletId, address } = await ethereumWallet(sdk)
      const body = { kind: 'Native', to: recipient, amount: '1' } as const
      const { id: transferId } = await sdk.wallets.transferAsset({ walletId, body })
      await until('the transfer has failed', confirmedMsMax, async () => {
        const { status, reason = '' } = await sdk.wallets.getTransfer({ walletId, transferId })
        assert.notEqual(status, 'Confirmed')
        return status === 'Failed' && /funds/.test(reason)
      })
      assert.equal(await openChain(platform.bootstrap()).sent(address), 0)
    })

    it('comes ten at a time, each with a nonce of its own', async () => {
      const sdk = await platform.sdk()
      const { id: walletId, address } = await richWallet(platform, sdk)
      const asked = Array.from({ length: 10 }, (_, i) =>
        sdk.wallets.transferAsset({
          walletId,
          body: { kind: 'Native', to: recipient, amount: String(i + 1) },
        }),
      )
      const made = await Promise.all(asked)
      for (const { id } of made) await confirmed(sdk, { walletId, transferId: id })
      assert.equal(await openChain(platform.bootstrap()).sent(address), 10)
      const { items, nextPageToken } = await sdk.wallets.listTransfers({
        walletId,
        query: { limit: 4 },
      })
      assert.equal(items.length, 4)
      assert.ok(nextPageToken !== undefined)
    })
  })
}

async function tellsHistory(sdk: DfnsApiClient, walletId: string, amount: bigint): Promise<void> {
  await until('history tells of it', confirmedMsMax, async () => {
    const { items } = await sdk.wallets.getWalletHistory({ walletId })
    return items.length === 2
  })
  const { items } = await sdk.wallets.getWalletHistory({ walletId })
  const told = items.map(
    ({ kind, direction, value }: { kind: string; direction: string; value?: string }) => ({
      kind,
      direction,
      value,
    }),
  )
  assert.deepEqual(told, [
    { kind: 'NativeTransfer', direction: 'Out', value: String(amount) },
    { kind: 'NativeTransfer', direction: 'In', value: String(parseEther('2')) },
  ])
  const query = { direction: 'In' } as const
  const incoming = await sdk.wallets.getWalletHistory({ walletId, query })
  assert.equal(incoming.items.length, 1)
}

const forms = {
  'an object of type 0': () => ({ type: 0, to: recipient, value: '3', gasLimit: '21000' }),
  'an object of type 2 that leaves out all that can be': () => ({
    type: 2,
    to: recipient,
    value: '0x3',
  }),
  'an object of type 2 with everything in it': () => ({
    type: 2,
    to: recipient,
    value: 3,
    nonce: 0,
    gasLimit: 40_000,
    data: '0xc0ffee',
    maxFeePerGas: String(fees.maxFeePerGas),
    maxPriorityFeePerGas: '0x3b9aca00',
  }),
  bytes: () => unsignedBytes(),
}

export function broadcasts(platform: Platform): void {
  describe('a transaction of the caller’s own making', () => {
    for (const [form, make] of Object.entries(forms))
      it(`given as ${form}, is signed, broadcast and confirmed`, async () => {
        const sdk = await platform.sdk()
        const { id: walletId, address } = await richWallet(platform, sdk)
        const made = await sdk.wallets.broadcastTransaction({
          walletId,
          body: { kind: 'Transaction', transaction: make() },
        })
        assert.match(made.id, /^tx-/)
        const named = { walletId, transactionId: made.id }
        await until('the transaction is confirmed', confirmedMsMax, async () => {
          const { status, reason } = await sdk.wallets.getTransaction(named)
          assert.ok(!['Failed', 'Rejected'].includes(status), reason)
          return status === 'Confirmed'
        })
        const { txHash = '' } = await sdk.wallets.getTransaction(named)
        const chain = openChain(platform.bootstrap())
        const sent = await chain.transaction(txHash as `0x${string}`)
        assert.equal(sent.from.toLowerCase(), address.toLowerCase())
        assert.equal(sent.value, 3n)
        const { items } = await sdk.wallets.listTransactions({ walletId })
        assert.deepEqual(
          items.map(({ id }) => id),
          [made.id],
        )
      })

    it('is refused when its fee is above the ceiling of the network', async () => {
      const sdk = await platform.sdk()
      const { id: walletId, address } = await richWallet(platform, sdk)
      const transaction = { type: 2, to: recipient, maxFeePerGas: '3000000000000' }
      const body = { kind: 'Transaction', transaction } as const
      const asked = sdk.wallets.broadcastTransaction({ walletId, body })
      await assert.rejects(asked, { httpStatus: 400 })
      assert.equal(await openChain(platform.bootstrap()).sent(address), 0)
    })
  })
}
