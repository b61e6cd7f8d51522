import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { DfnsApiClient } from '@dfns/sdk'
import { bootstrap } from '@quorate/cli/bootstrap'
import { checkedClient } from '../checked-client.ts'
import type { Platform } from '../platform.ts'
import { ethereumWallet } from '../sdk/wallets.ts'

export function foreigners(platform: Platform): void {
  describe('another organization of the same platform', () => {
    let folder = ''
    let stranger: DfnsApiClient
    let mine: Awaited<ReturnType<typeof ethereumWallet>>
    after(() => rmSync(folder, { recursive: true, force: true }))

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'quorate-second-'))
      const { baseUrl } = platform.bootstrap()
      const cluster = join(platform.dataDir, 'cluster')
      symlinkSync(cluster, join(folder, 'cluster'))
      const setupToken = readFileSync(join(cluster, 'server', 'setup-token'), 'utf8')
      const second = await bootstrap({ baseUrl, dataDir: folder, setupToken })
      assert.notEqual(second.orgId, platform.bootstrap().orgId)
      stranger = await checkedClient(second, second.serviceAccount)
      mine = await ethereumWallet(await platform.sdk())
    })

    it('sees nothing of ours', async () => {
      assert.deepEqual((await stranger.wallets.listWallets()).items, [])
      assert.deepEqual((await stranger.keys.listKeys()).items, [])
      const { id: walletId, signingKey } = mine
      const keyId = signingKey.id
      for (const asked of [
        () => stranger.wallets.getWallet({ walletId }),
        () => stranger.wallets.getWalletAssets({ walletId }),
        () => stranger.wallets.getWalletHistory({ walletId }),
        () => stranger.wallets.listTransfers({ walletId }),
        () => stranger.wallets.listTransactions({ walletId }),
        () => stranger.wallets.listSignatures({ walletId }),
        () => stranger.keys.getKey({ keyId }),
        () => stranger.keys.listSignatures({ keyId }),
      ])
        await assert.rejects(asked(), { httpStatus: 404 })
    })

    it('uses nothing of ours, however well it signs for it', async () => {
      const { id: walletId, signingKey } = mine
      const message = { kind: 'Message', message: '0x00' } as const
      const native = { kind: 'Native', to: mine.address, amount: '1' } as const
      const transaction = { kind: 'Transaction', transaction: { type: 2 } } as const
      const onOurs = { network: 'KeyECDSA', signingKey: { id: signingKey.id } } as const
      for (const asked of [
        () => stranger.wallets.generateSignature({ walletId, body: message }),
        () => stranger.keys.generateSignature({ keyId: signingKey.id, body: message }),
        () => stranger.wallets.transferAsset({ walletId, body: native }),
        () => stranger.wallets.broadcastTransaction({ walletId, body: transaction }),
        () => stranger.wallets.createWallet({ body: onOurs }),
      ])
        await assert.rejects(asked(), { httpStatus: 404 })
      const sdk = await platform.sdk()
      assert.deepEqual((await sdk.wallets.listSignatures({ walletId })).items, [])
    })

    it('has its own things beside ours', async () => {
      const own = await ethereumWallet(stranger)
      const { items } = await stranger.wallets.listWallets()
      assert.deepEqual(
        items.map(({ id }) => id),
        [own.id],
      )
    })
  })
}
