import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DfnsApiClient, PolicyPendingError } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import { foundCompany } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'

const minuteMs = 60_000

describe('an approval that nobody has given in time, for the official client', () => {
  let platform: TestPlatform
  let [robot, admin]: DfnsApiClient[] = []
  before(async () => {
    platform = await startTestPlatform()
    const { baseUrl } = platform
    const { orgId, serviceAccount, administrator } = await foundCompany(platform)
    const clientOf = ({ credId, privateKey, authToken }: typeof serviceAccount) => {
      const signer = new AsymmetricKeySigner({ credId, privateKey })
      return new DfnsApiClient({ baseUrl, orgId, authToken, signer })
    }
    ;[robot, admin] = [clientOf(serviceAccount), clientOf(administrator)]
    for (const activityKind of ['Wallets:Sign', 'Permissions:Modify'] as const)
      await admin.policies.createPolicy({
        body: {
          ...{ name: activityKind, activityKind },
          rule: { kind: 'AlwaysTrigger', configuration: {} },
          action: {
            ...{ kind: 'RequestApproval', autoRejectTimeout: 1 },
            approvalGroups: [{ quorum: 1, approvers: {} }],
          },
        },
      })
  })
  after(async () => {
    await platform.close()
    assert.deepEqual(platform.unexpected, [])
  })

  /** @returns the approval, as it is a minute and a half later, when its time is over for certain */
  async function late(approvalId: string) {
    assert.ok(robot && admin)
    const { status } = await admin.policies.getApproval({ approvalId })
    assert.equal(status, 'Pending')
    platform.clock.ahead = 1.5 * minuteMs + 1_000
    try {
      await platform.workApprovals()
      const approval = await admin.policies.getApproval({ approvalId })
      assert.equal(approval.status, 'Expired')
      assert.equal(approval.dateResolved, approval.expirationDate)
      const list = async (wanted: 'Expired' | 'Pending') =>
        (await robot?.policies.listApprovals({ query: { status: wanted } }))?.items.map(
          ({ id }) => id,
        )
      assert.ok((await list('Expired'))?.includes(approvalId))
      assert.ok(!(await list('Pending'))?.includes(approvalId))
      const decision = { approvalId, body: { value: 'Approved' as const } }
      await assert.rejects(admin.policies.createApprovalDecision(decision), { httpStatus: 400 })
      return approval
    } finally {
      platform.clock.ahead = 0
    }
  }

  it('has its signature rejected, but not by a clock that is wrong', async () => {
    assert.ok(robot)
    const { id: walletId } = await robot.wallets.createWallet({ body: { network: 'KeyEdDSA' } })
    const body = { kind: 'Message', message: '0x00' } as const
    const held = await robot.wallets.generateSignature({ walletId, body })
    for (const clockState of ['ahead', 'unsure'] as const) {
      platform.solo.clockState = clockState
      platform.clock.ahead = 1.5 * minuteMs + 1_000
      await platform.workApprovals()
      platform.clock.ahead = 0
      platform.solo.clockState = 'right'
      assert.equal(platform.unexpected.splice(0).length, 1)
      const { status } = await robot.wallets.getSignature({ walletId, signatureId: held.id })
      assert.equal(status, 'Pending')
      await platform.database.updateTable('approvals').set({ due_at: 0 }).execute()
    }
    await late(held.approvalId ?? assert.fail('it is held'))
    const { status, reason } = await robot.wallets.getSignature({ walletId, signatureId: held.id })
    assert.deepEqual([status, reason], ['Rejected', 'nobody has approved it in time'])
  })

  it('has its change never made, and leaves room for another', async () => {
    assert.ok(robot)
    const made = { name: 'some', operations: ['Wallets:Read' as const] }
    const { id: permissionId } = await robot.permissions.createPermission({ body: made })
    const rename = async () => {
      const body = { name: 'other' }
      const error = await robot?.permissions
        .updatePermission({ permissionId, body })
        .catch((thrown: unknown) => thrown)
      assert.ok(error instanceof PolicyPendingError)
      return String(Object(error.context)['approvalId'])
    }
    const approvalId = await rename()
    const { activity } = await late(approvalId)
    assert.ok('changeRequest' in activity && 'status' in activity.changeRequest)
    assert.equal(activity.changeRequest.status, 'Rejected')
    const { name, pendingChangeRequest } = await robot.permissions.getPermission({ permissionId })
    assert.deepEqual([name, pendingChangeRequest], ['some', undefined])
    assert.notEqual(await rename(), approvalId)
  })
})
