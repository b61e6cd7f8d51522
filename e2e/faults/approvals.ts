import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until, type Platform } from '../platform.ts'
import { approvalBy, changeOf, colleague, pending } from '../sdk/policies.ts'

const changes = 4
const kills = 3
const madeMsMax = 120_000

export function killedApprovals(platform: Platform): void {
  describe('a server that is killed', () => {
    it('while it makes what was approved makes each of it once', async () => {
      const admin = await platform.sdk('administrator')
      const second = await colleague(platform)
      const { id: policyId } = await admin.policies.createPolicy({
        body: {
          name: 'assignments',
          activityKind: 'Permissions:Assign',
          rule: { kind: 'AlwaysTrigger', configuration: {} },
          action: approvalBy({}),
        },
      })
      const asked: { permissionId: string; approvalId: string }[] = []
      const { userId: identityId } = platform.bootstrap().serviceAccount
      for (let i = 0; i < changes; i++) {
        const body = { name: `killed ${i}`, operations: ['Wallets:Read' as const] }
        const { id: permissionId } = await admin.permissions.createPermission({ body })
        const assignment = { permissionId, body: { identityId } }
        const held = await pending(admin.permissions.createAssignment(assignment))
        asked.push({ permissionId, approvalId: held.approvalId })
      }
      for (const { approvalId } of asked)
        await second.policies.createApprovalDecision({ approvalId, body: { value: 'Approved' } })
      for (let i = 0; i < kills; i++) {
        const pid = platform.server.pid()
        platform.server.kill()
        await platform.server.restarted(pid)
        await sleep(randomInt(50, 1_500))
      }
      await platform.whole()
      for (const { permissionId, approvalId } of asked) {
        await until('it is made', madeMsMax, async () => {
          return (await changeOf(admin, approvalId)).status === 'Applied'
        })
        const { items } = await admin.permissions.listAssignments({ permissionId })
        assert.deepEqual(
          items.map((one) => one.identityId),
          [identityId],
        )
      }
      assert.equal((await admin.policies.archivePolicy({ policyId })).status, 'Archived')
    })
  })
}
