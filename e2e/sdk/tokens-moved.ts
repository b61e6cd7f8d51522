import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ContractName } from '@quorate/devnet/testing/contracts'
import { deploy } from '@quorate/devnet/testing/deploy'
import type { DfnsApiClient } from '@dfns/sdk'
import { openChain } from '../chain.ts'
import { plainClient } from '../checked-client.ts'
import { type Platform, until } from '../platform.ts'
import { confirmed, confirmedMsMax, recipient, richWallet } from './transfers.ts'

const deployer =
  (platform: Platform) =>
  (name: ContractName, args: readonly unknown[] = []) =>
    deploy(openChain(platform.bootstrap()).rpc, name, args)

export function movedTokens(platform: Platform): void {
  const deployed = deployer(platform)

  describe('a transfer of a token', () => {
    it('moves coins on the chain, and names the coin as its contract does', async () => {
      const sdk = await platform.sdk()
      const { id: walletId, address } = await richWallet(platform, sdk)
      const coin = await deployed('Coin', ['Gold', 'GLD', 6])
      await coin.invoke('mint', [address, 1_000n])
      const body = { kind: 'Erc20', contract: coin.address, to: recipient, amount: '400' } as const
      const made = await sdk.wallets.transferAsset({ walletId, body })
      const asset = { symbol: 'GLD', decimals: 6, verified: false }
      assert.deepEqual([made.metadata.asset, made.requestBody], [asset, body])
      const done = await confirmed(sdk, { walletId, transferId: made.id })
      assert.deepEqual(done.metadata.asset, asset)
      assert.equal(await coin.ask('balanceOf', [recipient]), 400n)
      assert.equal(await coin.ask('balanceOf', [address]), 600n)
    })

    it('moves a piece of a collection', async () => {
      const sdk = await platform.sdk()
      const { id: walletId, address } = await richWallet(platform, sdk)
      const pieces = await deployed('Pieces')
      await pieces.invoke('mint', [address, 7n])
      const body = {
        kind: 'Erc721',
        contract: pieces.address,
        to: recipient,
        tokenId: '7',
      } as const
      const { id: transferId } = await sdk.wallets.transferAsset({ walletId, body })
      const { metadata } = await confirmed(sdk, { walletId, transferId })
      assert.deepEqual(metadata.asset, { symbol: 'PCS', verified: false })
      assert.equal(await pieces.ask('ownerOf', [7n]), BigInt(recipient))
    })
  })
}

/** Ours: the client sends what its types do not know, and its answers are none that they know either. */
export function movedUnits(platform: Platform): void {
  describe('a transfer of a token that the client’s types have no kind for', () => {
    it('moves units of a piece, and is in the history like the others', async () => {
      const { id: walletId, address } = await richWallet(platform, await platform.sdk())
      const sdk = plainClient(platform.bootstrap(), platform.bootstrap().serviceAccount)
      const sets = await deployer(platform)('Sets')
      await sets.invoke('mint', [address, 7n, 9n])
      const units = { contract: sets.address, tokenId: '7', amount: '4' }
      const body = { kind: 'Erc1155', ...units, to: recipient }
      const made = await sdk.wallets.transferAsset({ walletId, body: body as never })
      assert.deepEqual(made.requestBody, body)
      const { txHash } = await confirmed(sdk, { walletId, transferId: made.id })
      assert.equal(await sets.ask('balanceOf', [recipient, 7n]), 4n)
      const query = { kind: 'Erc1155Transfer', direction: 'Out' } as never
      const settled = async () => (await sdk.wallets.getWalletHistory({ walletId, query })).items
      await until('it is settled', confirmedMsMax, async () => (await settled()).length > 0)
      const [gone] = (await settled()) as readonly object[]
      const { kind, tokenId, value, txHash: hash } = gone as Readonly<Record<string, unknown>>
      assert.deepEqual([kind, tokenId, value, hash], ['Erc1155Transfer', '7', '4', txHash])
    })
  })
}

export function refusedTokens(platform: Platform): void {
  const deployed = deployer(platform)

  describe('a transfer of a token', () => {
    it('is refused for what is no token here, or more of it than there is', async () => {
      const sdk = await platform.sdk()
      const { id: walletId } = await richWallet(platform, sdk)
      const { address: contract } = await deployed('Coin', ['Gold', 'GLD', 6])
      const ask = (of: string) =>
        sdk.wallets.transferAsset({
          walletId,
          body: { kind: 'Erc20', contract: of, to: recipient, amount: '1' },
        })
      const unknown = { httpStatus: 400, message: 'Asset metadata not found' }
      await assert.rejects(ask(recipient), unknown)
      await assert.rejects(ask(contract), { httpStatus: 400, message: 'insufficient funds' })
    })

    it('is blocked above a limit on the coin, or to whom no policy knows', async () => {
      const [sdk, admin] = [await platform.sdk(), await platform.sdk('administrator')]
      const { id: walletId, address } = await richWallet(platform, sdk)
      const coin = await deployed('Coin', ['Gold', 'GLD', 6])
      await coin.invoke('mint', [address, 1_000n])
      const asset = `EthereumSepolia/Erc20/${coin.address.toLowerCase()}`
      for (const rule of [
        { kind: 'TransactionAssetLimit', configuration: { asset, limit: '400' } },
        { kind: 'TransactionRecipientWhitelist', configuration: { addresses: [recipient] } },
      ])
        await admin.policies.createPolicy({
          body: {
            ...{ name: `for ${walletId}`, activityKind: 'Wallets:Sign', rule },
            ...{ action: { kind: 'Block' }, filters: { walletId: { in: [walletId] } } },
          } as unknown as Parameters<DfnsApiClient['policies']['createPolicy']>[0]['body'],
        })
      const ask = (amount: string, to: string = recipient) => {
        const body = { kind: 'Erc20', contract: coin.address, to, amount } as const
        return sdk.wallets.transferAsset({ walletId, body })
      }
      await assert.rejects(ask('401'), { httpStatus: 403 })
      await assert.rejects(ask('1', coin.address), { httpStatus: 403 })
      const { id: transferId } = await ask('400')
      await confirmed(sdk, { walletId, transferId })
      assert.equal(await coin.ask('balanceOf', [recipient]), 400n)
    })
  })
}
