import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openChain } from '../chain.ts'
import { until, type Platform } from '../platform.ts'
import { approvalOf, heldWallet, makePolicy } from '../sdk/held.ts'
import { changeOf, colleague, pending } from '../sdk/policies.ts'
import { confirmed, recipient } from '../sdk/transfers.ts'

/** A server starts again, and its signers dial it. */
const paidMsMax = 120_000
/** The lease of whoever has died has to end first. */
const madeMsMax = 120_000

/** @returns the tests of what is made only once leases have ended: others are run meanwhile */
export function killedHolds(platform: Platform): () => void {
  let change: Awaited<ReturnType<typeof heldAssignment>> | undefined
  describe('a server that is killed while a transfer is held', () => {
    it('and once more when it is approved, pays it once', async () => {
      const second = await colleague(platform)
      const walletId = await heldWallet(platform)
      const sdk = await platform.sdk()
      const body = { kind: 'Native', to: recipient, amount: '13' } as const
      const held = await sdk.wallets.transferAsset({ walletId, body })
      const approvalId = approvalOf(held)
      change = await heldAssignment(platform)
      await killed()
      assert.equal(
        approvalOf(await sdk.wallets.getTransfer({ walletId, transferId: held.id })),
        approvalId,
      )
      for (const approved of [approvalId, change.approvalId])
        await second.policies.createApprovalDecision({
          ...{ approvalId: approved, body: { value: 'Approved' } },
        })
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

  return () =>
    describe('a change that was approved when its server was killed', () => {
      it('is made once', async () => {
        assert.ok(change, 'a change was held')
        const { approvalId, permissionId, identityId } = change
        const admin = await platform.sdk('administrator')
        await until('it is made', madeMsMax, async () => {
          return (await changeOf(admin, approvalId)).status === 'Applied'
        })
        const { items } = await admin.permissions.listAssignments({ permissionId })
        assert.deepEqual(
          items.map((one) => one.identityId),
          [identityId],
        )
      })
    })
}

/** The policy that holds it holds nothing else. */
async function heldAssignment(platform: Platform) {
  const admin = await platform.sdk('administrator')
  const { userId: identityId } = platform.bootstrap().serviceAccount
  const body = { name: 'killed', operations: ['Wallets:Read' as const] }
  const { id: permissionId } = await admin.permissions.createPermission({ body })
  const filters = { permissionId: { in: [permissionId] } }
  await makePolicy(admin, { activityKind: 'Permissions:Assign', filters })
  const assignment = { permissionId, body: { identityId } }
  const { approvalId } = await pending(admin.permissions.createAssignment(assignment))
  return { approvalId, permissionId, identityId }
}
