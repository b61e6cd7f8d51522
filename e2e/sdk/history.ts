import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ContractName } from '@quorate/devnet/testing/contracts'
import { deploy } from '@quorate/devnet/testing/deploy'
import { openChain } from '../chain.ts'
import { type Platform, until } from '../platform.ts'
import { confirmed, confirmedMsMax, recipient, richWallet } from './transfers.ts'

/** What comes and goes on the chain, and what is there: read through the official SDK, held to its types. */
export function history(platform: Platform): void {
  const deployed = (name: ContractName, args: readonly unknown[] = []) =>
    deploy(openChain(platform.bootstrap()).rpc, name, args)

  describe('the history of a wallet', () => {
    it('tells of coins and pieces that came and went, and what is left of them', async () => {
      const sdk = await platform.sdk()
      const { id: walletId, address } = await richWallet(platform, sdk)
      const coin = await deployed('Coin', ['Gold', 'GLD', 6])
      const pieces = await deployed('Pieces')
      await coin.invoke('mint', [address, 1_000n])
      await pieces.invoke('mint', [address, 7n])
      const body = { kind: 'Erc20', contract: coin.address, to: recipient, amount: '400' } as const
      const { id: transferId } = await sdk.wallets.transferAsset({ walletId, body })
      const { txHash } = await confirmed(sdk, { walletId, transferId })
      const read = (query: object) => sdk.wallets.getWalletHistory({ walletId, query })
      let [gone, came] = (await read({ contract: coin.address })).items
      await until('both are settled', confirmedMsMax, async () => {
        ;[gone, came] = (await read({ contract: coin.address })).items
        return came !== undefined
      })
      assert.ok(gone?.kind === 'Erc20Transfer' && came?.kind === 'Erc20Transfer')
      assert.deepEqual([gone.direction, gone.value, gone.txHash], ['Out', '400', txHash])
      assert.ok(gone.fee !== undefined && BigInt(gone.fee) > 0n)
      assert.deepEqual([came.direction, came.value, came.fee], ['In', '1000', undefined])
      assert.deepEqual(came.metadata.asset, { symbol: 'GLD', decimals: 6, verified: false })
      const [piece] = (await read({ kind: 'Erc721Transfer', direction: 'In' })).items
      assert.ok(piece?.kind === 'Erc721Transfer')
      assert.deepEqual([piece.tokenId, piece.symbol], ['7', 'PCS'])

      const { assets } = await sdk.wallets.getWalletAssets({ walletId })
      const coins = assets.flatMap((asset) => (asset.kind === 'Erc20' ? asset : []))
      assert.deepEqual(
        coins.map(({ balance, symbol, verified }) => [balance, symbol, verified]),
        [['600', 'GLD', false]],
      )
      const { nfts } = await sdk.wallets.getWalletNfts({ walletId })
      assert.deepEqual(nfts, [
        { kind: 'Erc721', contract: piece.contract, tokenId: '7', symbol: 'PCS' },
      ])
      const all = { startTime: '2020-01-01T00:00:00Z', endTime: '2100-01-01T00:00:00Z' }
      const everywhere = await sdk.wallets.listOrgWalletHistory({ query: all })
      assert.ok(typeof everywhere !== 'string')
      const own = everywhere.items.filter((item) => item.walletId === walletId)
      assert.ok(own.some((item) => item.txHash === txHash && item.amount === '400'))
    })
  })
}
