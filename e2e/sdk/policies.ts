import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { PolicyPendingError, type DfnsApiClient } from '@dfns/sdk'
import { checkedClient } from '../checked-client.ts'
import { until, type Platform } from '../platform.ts'
import { employ, promote } from './people.ts'

/** From a decision to what comes of it: a worker looks twice a second. */
const workedMsMax = 30_000

type Change = { readonly id: string; readonly approvalId: string; readonly status: string }

/** An employee who may do everything, and speaks for himself. */
export async function colleague(platform: Platform): Promise<DfnsApiClient> {
  const employee = await employ(platform)
  await promote(platform, employee)
  return checkedClient(platform.bootstrap(), employee)
}

/** What the official SDK makes of status 202. */
export async function pending(asked: Promise<unknown>): Promise<Change> {
  try {
    await asked
  } catch (error) {
    assert.ok(error instanceof PolicyPendingError, String(error))
    return error.context as Change
  }
  return assert.fail('nothing was held')
}

/** The change that an approval is about: names of the address book, which have none here, aside. */
export async function changeOf(sdk: DfnsApiClient, approvalId: string): Promise<Change> {
  const { activity } = await sdk.policies.getApproval({ approvalId })
  assert.ok('changeRequest' in activity && 'status' in activity.changeRequest, activity.kind)
  const { id, status } = activity.changeRequest
  return { id, status, approvalId }
}

export const approvalBy = (approvers: { userId?: { in: string[] } }, more: object = {}) => ({
  kind: 'RequestApproval' as const,
  approvalGroups: [{ quorum: 1, approvers }],
  ...more,
})
const always = { kind: 'AlwaysTrigger', configuration: {} } as const

let number = 0

/** The administrator and a second employee, and permissions that each have a policy of their own. */
function governing(platform: Platform) {
  let [admin, second]: DfnsApiClient[] = []
  const clients = async () => {
    admin ??= await platform.sdk('administrator')
    second ??= await colleague(platform)
    return { admin, second }
  }
  const permission = async () => {
    const { admin } = await clients()
    const body = { name: `governed ${(number += 1)}`, operations: ['Wallets:Read' as const] }
    return admin.permissions.createPermission({ body })
  }
  /** On one permission alone, so that nothing else of the platform waits. */
  const hold = async (permissionId: string, more: object = {}) => {
    const { admin } = await clients()
    const body = {
      name: `for ${permissionId}`,
      activityKind: 'Permissions:Modify' as const,
      rule: always,
      action: approvalBy({}, more),
      filters: { permissionId: { in: [permissionId] } },
    }
    return admin.policies.createPolicy({ body })
  }
  const changeNow = async (approvalId: string) => changeOf((await clients()).admin, approvalId)
  const ended = (approvalId: string) =>
    until('the change has an end', workedMsMax, async () => {
      return (await changeNow(approvalId)).status !== 'Pending'
    })
  return { clients, permission, hold, changeNow, ended }
}

export function policies(platform: Platform): void {
  describe('policies', () => {
    const { clients, permission, hold } = governing(platform)

    it('are made, read, listed, replaced and archived', async () => {
      const { admin } = await clients()
      const { id: permissionId } = await permission()
      const made = await hold(permissionId)
      const { id: policyId } = made
      assert.deepEqual(await admin.policies.getPolicy({ policyId }), made)
      const { items } = await admin.policies.listPolicies({
        query: { limit: '1', status: 'Active' },
      })
      assert.deepEqual(items, [made])
      const { activityKind, rule, action, filters } = made
      assert.equal(activityKind, 'Permissions:Modify')
      const body = { name: 'renamed', activityKind, rule, action, filters } as Parameters<
        DfnsApiClient['policies']['updatePolicy']
      >[0]['body']
      assert.equal((await admin.policies.updatePolicy({ policyId, body })).name, 'renamed')
      assert.equal((await admin.policies.archivePolicy({ policyId })).status, 'Archived')
    })

    it('block what no approval helps', async () => {
      const { admin } = await clients()
      const { id: permissionId } = await permission()
      const block = {
        name: 'block',
        activityKind: 'Permissions:Modify' as const,
        rule: always,
        action: { kind: 'Block' as const },
        filters: { permissionId: { in: [permissionId] } },
      }
      await admin.policies.createPolicy({ body: block })
      const change = { permissionId, body: { name: 'blocked' } }
      await assert.rejects(admin.permissions.updatePermission(change), (error: unknown) => {
        const { httpStatus, message } = Object(error)
        return httpStatus === 403 && /Blocked by policy/.test(message)
      })
    })

    // Whatever comes later in the platform's life is to be held by nothing.
    after(async () => {
      const { admin } = await clients()
      const { items } = await admin.policies.listPolicies({ query: { status: 'Active' } })
      for (const { id: policyId } of items) await admin.policies.archivePolicy({ policyId })
    })
  })
}

export function heldChanges(platform: Platform): void {
  describe('a change that a policy holds', () => {
    const { clients, permission, hold, changeNow, ended } = governing(platform)

    it('waits until a second employee has approved it, and then it is made', async () => {
      const { admin, second } = await clients()
      const { id: permissionId } = await permission()
      const { id: policyId } = await hold(permissionId)
      const body = { name: `approved ${permissionId}` }
      const { approvalId, id } = await pending(
        admin.permissions.updatePermission({ permissionId, body }),
      )
      const held = await admin.permissions.getPermission({ permissionId })
      assert.equal(held.pendingChangeRequest?.id, id)
      const { items } = await second.policies.listApprovals({ query: { status: 'Pending' } })
      const found = items.find((one) => one.id === approvalId)
      assert.deepEqual(
        found?.policyEvaluations.map((one) => [one.policyId, one.triggered]),
        [[policyId, true]],
      )
      const own = { approvalId, body: { value: 'Approved' } } as const
      await assert.rejects(admin.policies.createApprovalDecision(own), { httpStatus: 403 })
      const decided = await second.policies.createApprovalDecision(own)
      assert.equal(decided.status, 'Approved')
      await ended(approvalId)
      assert.equal((await changeNow(approvalId)).status, 'Applied')
      const made = await admin.permissions.getPermission({ permissionId })
      assert.deepEqual([made.name, made.pendingChangeRequest], [body.name, undefined])
    })

    it('ends with a denial', async () => {
      const { admin, second } = await clients()
      const { id: permissionId, name } = await permission()
      await hold(permissionId)
      const body = { name: `denied ${permissionId}` }
      const { approvalId } = await pending(
        admin.permissions.updatePermission({ permissionId, body }),
      )
      const denial = { value: 'Denied', reason: 'not now' } as const
      const denied = await second.policies.createApprovalDecision({ approvalId, body: denial })
      assert.deepEqual(
        [denied.status, denied.decisions.map(({ reason }) => reason)],
        ['Denied', ['not now']],
      )
      await ended(approvalId)
      assert.equal((await changeNow(approvalId)).status, 'Rejected')
      assert.equal((await admin.permissions.getPermission({ permissionId })).name, name)
    })

    it('is of the policy itself, too', async () => {
      const { admin, second } = await clients()
      const body = {
        name: 'constitution',
        activityKind: 'Policies:Modify' as const,
        rule: always,
        action: approvalBy({}),
      }
      const { id: policyId } = await admin.policies.createPolicy({ body })
      const { approvalId } = await pending(admin.policies.archivePolicy({ policyId }))
      const { pendingChangeRequest } = await admin.policies.getPolicy({ policyId })
      assert.equal(pendingChangeRequest?.body.status, 'Archived')
      await second.policies.createApprovalDecision({ approvalId, body: { value: 'Approved' } })
      await ended(approvalId)
      assert.equal((await admin.policies.getPolicy({ policyId })).status, 'Archived')
    })

    // Whatever comes later in the platform's life is to be held by nothing.
    after(async () => {
      const { admin } = await clients()
      const { items } = await admin.policies.listPolicies({ query: { status: 'Active' } })
      for (const { id: policyId } of items) await admin.policies.archivePolicy({ policyId })
    })
  })
}
