import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openChain } from '../chain.ts'
import type { Platform } from '../platform.ts'
import { approvalOf, heldWallet } from '../sdk/held.ts'
import { colleague } from '../sdk/policies.ts'
import { confirmed, recipient } from '../sdk/transfers.ts'

/** A server starts again, and its signers dial it. */
const paidMsMax = 120_000

export function killedHolds(platform: Platform): void {
  describe('a server that is killed while a transfer is held', () => {
    it('and once more when it is approved, pays it once', async () => {
      const second = await colleague(platform)
      const walletId = await heldWallet(platform)
      const sdk = await platform.sdk()
      const body = { kind: 'Native', to: recipient, amount: '13' } as const
      const held = await sdk.wallets.transferAsset({ walletId, body })
      const approvalId = approvalOf(held)
      await killed()
      assert.equal(
        approvalOf(await sdk.wallets.getTransfer({ walletId, transferId: held.id })),
        approvalId,
      )
      await second.policies.createApprovalDecision({ approvalId, body: { value: 'Approved' } })
      await killed()
      await confirmed(sdk, { walletId, transferId: held.id }, paidMsMax)
      const { address } = await sdk.wallets.getWallet({ walletId })
      assert.equal(await openChain(platform.bootstrap()).sent(address as `0x${string}`), 1)
    })
  })

  async function killed(): Promise<void> {
    const pid = platform.server.pid()
    platform.server.kill()
    await platform.server.restarted(pid)
    await platform.whole()
  }
}
