import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import type { DfnsApiClient } from '@dfns/sdk'
import { parseEther } from 'viem'
import { factsFile, until, type Platform } from '../platform.ts'
import { makePolicy } from './held.ts'
import { ruleAlone } from './rulers.ts'
import { confirmed, confirmedMsMax, recipient, richWallet } from './transfers.ts'

const asset = 'EthereumSepolia/Native'
const thief = `0x${'66'.repeat(20)}`

type Told = {
  readonly ether: string
  readonly listed?: readonly string[]
  readonly network?: string
}
/** As an operator does it, who has this minute heard what an ether is worth. */
export function tell(
  platform: Platform,
  of: 'server' | 'signers',
  { ether, listed = [], network = 'EthereumSepolia' }: Told,
): void {
  const at = `${new Date().toISOString().slice(0, -'.000Z'.length)}Z`
  const price = {
    asset: `${network}/Native`,
    currency: 'USD',
    price: ether,
    decimals: 18,
    source: 'desk',
    at,
  }
  const denied = { source: 'desk', at, addresses: listed }
  const path = factsFile(platform.dataDir, of)
  const file = { format: 'quorate.facts.1', prices: [price], denied }
  writeFileSync(`${path}.new`, JSON.stringify(file))
  renameSync(`${path}.new`, path)
}

const takeWord = (platform: Platform, of: 'Server' | 'Signer') =>
  ruleAlone(platform, { settings: { factSources: { prices: of, screenings: of } } })

/** Everything here is judged by the real signers, each by the file that it was given. */
export function ownFacts(platform: Platform): void {
  describe('a limit in dollars, and a deny list, by the word of the signers', () => {
    let sdk: DfnsApiClient
    let walletId = ''
    const pay = (ether: string, to: string = recipient) =>
      sdk.wallets.transferAsset({
        ...{ walletId, body: { kind: 'Native', to, amount: String(parseEther(ether)) } },
      })
    /** @returns why */
    const failed = async ({ id: transferId }: { readonly id: string }) => {
      const named = { walletId, transferId }
      await until('the transfer has failed', confirmedMsMax, async () => {
        const { status } = await sdk.wallets.getTransfer(named)
        assert.ok(!['Broadcasted', 'Confirmed'].includes(status), status)
        return status === 'Failed'
      })
      return (await sdk.wallets.getTransfer(named)).reason
    }
    before(async () => {
      sdk = await platform.sdk()
      walletId = (await richWallet(platform, sdk)).id
      const admin = await platform.sdk('administrator')
      const on = { action: { kind: 'Block' }, filters: { walletId: { in: [walletId] } } }
      const limit = { currency: 'USD', limit: 100 }
      const rule = { kind: 'TransactionAmountLimit', configuration: limit }
      await makePolicy(admin, { ...on, rule })
      const screening = { kind: 'TransactionRecipientScreening', configuration: {} }
      await makePolicy(admin, { ...on, rule: screening })
      await takeWord(platform, 'Signer')
    })

    it('lets a payment pass that server and signers price alike, and no larger one', async () => {
      tell(platform, 'server', { ether: '2000' })
      tell(platform, 'signers', { ether: '2050' })
      const { id: transferId } = await pay('0.01')
      await confirmed(sdk, { walletId, transferId })
      await assert.rejects(pay('0.1'), { httpStatus: 403, message: /Blocked by policy/ })
    })

    it('lets none pass at a price that the server has made up, and the caller is told', async () => {
      tell(platform, 'server', { ether: '1' })
      assert.equal(
        await failed(await pay('0.1')),
        `the price of ${asset} departs from a signer's own`,
      )
    })

    it('lets nobody be paid whom the signers have on their list, and the server has not', async () => {
      tell(platform, 'server', { ether: '2000' })
      tell(platform, 'signers', { ether: '2000', listed: [thief] })
      const reason = `${thief} is on a signer's own deny list`
      assert.equal(await failed(await pay('0.01', thief)), reason)
    })

    it('is the server’s word again when the root quorum says so', async () => {
      await takeWord(platform, 'Server')
      tell(platform, 'server', { ether: '1' })
      const { id: transferId } = await pay('0.1', thief)
      await confirmed(sdk, { walletId, transferId })
    })

    // Whatever comes later in the platform's life is to be held by nothing.
    after(async () => {
      const admin = await platform.sdk('administrator')
      const { items } = await admin.policies.listPolicies({ query: { status: 'Active' } })
      for (const { id: policyId } of items) await admin.policies.archivePolicy({ policyId })
    })
  })
}
