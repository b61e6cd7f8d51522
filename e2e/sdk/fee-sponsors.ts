import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Platform } from '../platform.ts'

const network = 'EthereumSepolia'

export function feeSponsors(platform: Platform): void {
  describe('fee sponsors', () => {
    it('are made of a wallet, switched off and on, listed, and archived for ever', async () => {
      const sdk = await platform.sdk()
      const { id: walletId } = await sdk.wallets.createWallet({ body: { network } })
      const body = { walletId, name: 'gas', allowEndUser: true }
      const made = await sdk.feeSponsors.createFeeSponsor({ body })
      assert.match(made.id, /^fs-[a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{14,16}$/)
      const { id: feeSponsorId, dateCreated, status } = made
      const { limits, ...shown } = made as typeof made & { readonly limits: object }
      assert.deepEqual(shown, { ...body, id: feeSponsorId, network, status, dateCreated })
      assert.deepEqual([status, limits], ['Active', {}])
      const now = () => sdk.feeSponsors.getFeeSponsor({ feeSponsorId })
      assert.deepEqual(await now(), made)
      const off = await sdk.feeSponsors.deactivateFeeSponsor({ feeSponsorId })
      assert.equal(off.status, 'Deactivated')
      assert.equal((await now()).status, 'Deactivated')
      await sdk.feeSponsors.activateFeeSponsor({ feeSponsorId })
      assert.deepEqual(await now(), made)
      const { items } = await sdk.feeSponsors.listFeeSponsors({ query: { limit: 1 } })
      assert.deepEqual(items, [made])
      const paid = await sdk.feeSponsors.listSponsoredFees({ feeSponsorId })
      assert.deepEqual(paid, { items: [] })
      await sdk.feeSponsors.deleteFeeSponsor({ feeSponsorId })
      assert.equal((await now()).status, 'Archived')
      await assert.rejects(sdk.feeSponsors.activateFeeSponsor({ feeSponsorId }), {
        httpStatus: 400,
      })
    })
  })
}
