import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fromBase64url, fromHex } from '@quorate/core/bytes'
import { decode } from '@quorate/core/codec'
import { nameOf } from '@quorate/core/id'
import { openingCodec } from '@quorate/authority/records'
import { approvalId } from '@quorate/authority/reduce/approval'
import { requestHash } from '@quorate/authority/request'
import { resolversOf } from '../identity.ts'
import { foundCompany, newKey, publicPem, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type Answer, type Speaker } from '../testing/raw-client.ts'
import { leaseApprovals } from './lease.ts'
import { work } from './work.ts'

let platform: TestPlatform
let company: Company
before(async () => {
  platform = await startTestPlatform()
  company = await foundCompany(platform)
})
after(async () => {
  await platform.close()
  assert.deepEqual(platform.unexpected, [])
})

async function ask(speaker: Speaker, method: string, path: string, body: object = {}) {
  const client = rawClient(platform.baseUrl, speaker)
  const initial = await client.init(method, path, body)
  if (initial.status !== 200) return initial
  const signed = await client.sign(initial)
  return client.send(method, path, body, signed.body.userAction)
}
const byBot = (method: string, path: string, body?: object) =>
  ask(company.serviceAccount, method, path, body)
const byAdmin = (method: string, path: string, body?: object) =>
  ask(company.administrator, method, path, body)
const read = (path: string) => rawClient(platform.baseUrl, company.administrator).send('GET', path)
function good({ status, body }: Answer, expected = 200) {
  assert.equal(status, expected, JSON.stringify(body))
  return body
}

const asking = { kind: 'RequestApproval', approvalGroups: [{ quorum: 1, approvers: {} }] }
const governing = (activityKind: string, more: object = {}) => ({
  ...{ name: activityKind, activityKind, rule: { kind: 'AlwaysTrigger', configuration: {} } },
  ...{ action: asking, ...more },
})
/** Policies of this kind for as long as a test takes. */
async function under(body: object, run: () => Promise<void>) {
  const { id } = good(await byAdmin('POST', '/v2/policies', body))
  try {
    await run()
  } finally {
    good(await byAdmin('DELETE', `/v2/policies/${id}`))
  }
}
let count = 0
const permission = async () =>
  good(
    await byBot('POST', '/permissions', { name: `p${(count += 1)}`, operations: ['Wallets:Read'] }),
  )
const decide = (id: string, value: string, reason?: string) =>
  byAdmin('POST', `/v2/policy-approvals/${id}/decisions`, { value, ...(reason && { reason }) })
const approvalNow = async (id: string) => good(await read(`/v2/policy-approvals/${id}`))

describe('a policy, over the API', () => {
  it('is made, shown, listed, replaced and archived', async () => {
    const body = governing('Permissions:Assign', { filters: { permissionId: { in: [] } } })
    const { id: about } = await permission()
    const whole = { ...body, filters: { permissionId: { in: [about] } } }
    const made = good(await byAdmin('POST', '/v2/policies', whole))
    assert.deepEqual([made.status, made.name, made.filters], ['Active', body.name, whole.filters])
    assert.deepEqual(good(await read(`/v2/policies/${made.id}`)), made)
    const changed = { ...whole, name: 'other' }
    const { name } = good(await byAdmin('PUT', `/v2/policies/${made.id}`, changed))
    assert.equal(name, 'other')
    const active = good(await read('/v2/policies?status=Active&limit=1'))
    assert.deepEqual([active.items.length, active.items[0].name], [1, 'other'])
    const archived = good(await byAdmin('DELETE', `/v2/policies/${made.id}`))
    assert.equal(archived.status, 'Archived')
    assert.ok(archived.acknowledgedBy.length >= 3)
    assert.deepEqual(good(await read('/v2/policies?status=Active')).items, [])
    assert.equal(good(await read('/v2/policies?status=Archived')).items[0].id, made.id)
    assert.equal((await byAdmin('DELETE', `/v2/policies/${made.id}`)).status, 404)
  })

  it('that is none is refused in words', async () => {
    const block = governing('Policies:Modify', { action: { kind: 'Block' } })
    const { status, body } = await byAdmin('POST', '/v2/policies', block)
    assert.deepEqual([status, body.error.message], [400, 'Invalid policy'])
    const unknown = await byAdmin('PUT', `/v2/policies/${nameOf('policy', new Uint8Array(32))}`, {
      ...governing('Policies:Modify'),
    })
    assert.equal(unknown.status, 404)
  })

  it('that blocks says so, and by which words', () =>
    under(governing('Permissions:Modify', { action: { kind: 'Block' } }), async () => {
      const { id } = await permission()
      const { status, body } = await byBot('PUT', `/permissions/${id}`, { name: 'no' })
      assert.deepEqual([status, body.error.message], [403, 'Blocked by policy'])
      assert.match(body.error.details.reason, /applies to every such request/)
    }))
})

describe('a change that a policy holds', () => {
  it('waits for its approval, and is made by itself when that is given', () =>
    under(governing('Permissions:Modify'), async () => {
      const { id, operations } = await permission()
      const change = good(await byBot('PUT', `/permissions/${id}`, { name: 'held' }), 202)
      assert.deepEqual(
        [change.status, change.kind, change.operationKind, change.entityId],
        ['Pending', 'Permission', 'Update', id],
      )
      assert.deepEqual([change.body.name, change.body.operations], ['held', operations])
      const shown = good(await read(`/permissions/${id}`))
      assert.notEqual(shown.name, 'held')
      assert.equal(shown.pendingChangeRequest.id, change.id)
      const again = await byBot('PUT', `/permissions/${id}`, { name: 'second' })
      assert.equal(again.status, 409)
      const approval = good(await decide(change.approvalId, 'Approved', 'fine'))
      assert.deepEqual([approval.status, approval.decisions[0].reason], ['Approved', 'fine'])
      await platform.workApprovals()
      const after = good(await read(`/permissions/${id}`))
      assert.deepEqual([after.name, after.pendingChangeRequest], ['held', undefined])
      const { activity } = await approvalNow(change.approvalId)
      assert.deepEqual(
        [activity.kind, activity.changeRequest.status],
        ['Permissions:Modify', 'Applied'],
      )
      await platform.workApprovals()
    }))

  it('is never made once it is denied', () =>
    under(governing('Permissions:Assign'), async () => {
      const { id } = await permission()
      const { userId: identityId } = company.administrator
      const path = `/permissions/${id}/assignments`
      const change = good(await byBot('POST', path, { identityId }), 202)
      assert.deepEqual(
        [change.kind, change.operationKind, change.body.identityId],
        [...['Assignment', 'Create', identityId]],
      )
      assert.equal((await byBot('POST', path, { identityId })).status, 409)
      assert.equal(good(await decide(change.approvalId, 'Denied')).status, 'Denied')
      await platform.workApprovals()
      const { activity } = await approvalNow(change.approvalId)
      assert.equal(activity.changeRequest.status, 'Rejected')
      assert.deepEqual(good(await read(path)).items, [])
      const late = await decide(change.approvalId, 'Approved')
      assert.deepEqual([late.status, late.body.error.message], [400, 'Approval is not pending'])
    }))

  it('is rejected when its time is over', () =>
    under(
      governing('Permissions:Modify', { action: { ...asking, autoRejectTimeout: 1 } }),
      async () => {
        const { id } = await permission()
        const change = good(
          await byBot('PUT', `/permissions/${id}/archive`, { isArchived: true }),
          202,
        )
        assert.equal(change.body.isArchived, true)
        await platform.workApprovals()
        platform.clock.ahead = 61_000
        try {
          assert.equal((await approvalNow(change.approvalId)).status, 'Expired')
          assert.equal((await decide(change.approvalId, 'Approved')).status, 400)
          // A decision of before may still be on its way into the log.
          const end = () =>
            platform.database
              .selectFrom('approvals')
              .select('outcome')
              .where('approval_id', '=', change.approvalId)
              .executeTakeFirstOrThrow()
          await platform.workApprovals()
          assert.equal((await end()).outcome, null)
          platform.clock.ahead += 30_000
          await platform.workApprovals()
          assert.equal((await end()).outcome, 'Rejected')
          const { activity, dateResolved, expirationDate } = await approvalNow(change.approvalId)
          assert.deepEqual(
            [activity.changeRequest.status, dateResolved],
            [...['Rejected', expirationDate]],
          )
        } finally {
          platform.clock.ahead = 0
        }
      },
    ))

  it('fails, and says why, if it cannot be made any more', () =>
    under(governing('Permissions:Assign'), async () => {
      const { id } = await permission()
      const { userId: identityId } = company.administrator
      const path = `/permissions/${id}/assignments`
      const change = good(await byBot('POST', path, { identityId }), 202)
      good(await byBot('PUT', `/permissions/${id}/archive`, { isArchived: true }))
      good(await decide(change.approvalId, 'Approved'))
      await platform.workApprovals()
      const { activity } = await approvalNow(change.approvalId)
      const { status, reason } = activity.changeRequest
      assert.deepEqual([status, reason], ['Failed', 'there is no such permission'])
    }))

  it('does not come with a service account or a token, and is assigned to it later', () =>
    under(governing('Permissions:Assign'), async () => {
      const { id: permissionId } = await permission()
      for (const path of ['/auth/service-accounts', '/auth/pats']) {
        const body = { name: 'brings', publicKey: publicPem(newKey()) }
        const { status, body: told } = await byAdmin('POST', path, { ...body, permissionId })
        assert.equal(status, 403)
        assert.match(told.error.message, /without permissionId, and assign it then/)
        // The name is free, and so is the key.
        const made = good(await byAdmin('POST', path, body))
        const [token = made] = made.accessTokens ?? []
        assert.ok(token.accessToken)
        const identityId = made.userInfo?.userId ?? made.tokenId
        const assignments = `/permissions/${permissionId}/assignments`
        const change = good(await byBot('POST', assignments, { identityId }), 202)
        good(await decide(change.approvalId, 'Approved'))
        await platform.workApprovals()
        const { items } = good(await read(assignments))
        assert.ok(items.some((one: { identityId: string }) => one.identityId === identityId))
      }
    }))

  it('is the end of an assignment as well, which stands until that is approved', async () => {
    const { id } = await permission()
    const path = `/permissions/${id}/assignments`
    const { userId } = company.administrator
    const pat = { name: 'is given', publicKey: publicPem(newKey()) }
    const { tokenId } = good(await byAdmin('POST', '/auth/pats', pat))
    const given = [userId, tokenId].map((identityId) => byBot('POST', path, { identityId }))
    await Promise.all(given)
    await under(governing('Permissions:Assign'), async () => {
      for (const identityId of [userId, tokenId]) {
        const listed = async () =>
          good(await read(path)).items.find(
            (one: { readonly identityId: string }) => one.identityId === identityId,
          )
        const { id: assignmentId } = await listed()
        const held = good(await byBot('DELETE', `${path}/${assignmentId}`), 202)
        assert.deepEqual(
          [held.kind, held.operationKind, held.entityId, held.body.identityId],
          ['Assignment', 'Delete', assignmentId, identityId],
        )
        assert.equal((await byBot('DELETE', `${path}/${assignmentId}`)).status, 409)
        assert.equal((await listed()).id, assignmentId)
        good(await decide(held.approvalId, 'Approved'))
        await platform.workApprovals()
        assert.equal(await listed(), undefined)
        const { activity } = await approvalNow(held.approvalId)
        assert.equal(activity.changeRequest.status, 'Applied')
      }
    })
  })

  it('is of the policy itself that holds it', async () => {
    const body = governing('Policies:Modify')
    const { id } = good(await byBot('POST', '/v2/policies', body))
    const change = good(await byBot('DELETE', `/v2/policies/${id}`), 202)
    assert.deepEqual(
      [change.kind, change.body.status, change.body.name],
      [...['Policy', 'Archived', body.name]],
    )
    assert.equal(good(await read(`/v2/policies/${id}`)).pendingChangeRequest.id, change.id)
    assert.equal(good(await read('/v2/policies')).items[0].pendingChangeRequest.id, change.id)
    good(await decide(change.approvalId, 'Approved'))
    await platform.workApprovals()
    assert.equal(good(await read(`/v2/policies/${id}`)).status, 'Archived')
  })
})

describe('a worker that dies', () => {
  it('after it has made a change finds that at its next life, and tells of it once', () =>
    under(governing('Permissions:Assign'), async () => {
      const { id } = await permission()
      const path = `/permissions/${id}/assignments`
      const { userId: identityId } = company.administrator
      const change = good(await byBot('POST', path, { identityId }), 202)
      good(await decide(change.approvalId, 'Approved'))
      const { database, deps } = platform
      const dying = {
        ...{ ...deps, report: { warn: () => undefined, error: assert.fail } },
        resolvers: resolversOf(deps).map((resolver) => ({
          ...resolver,
          resolved: async (...asked: Parameters<typeof resolver.resolved>) => {
            await resolver.resolved(...asked)
            throw new Error('the power is gone')
          },
        })),
      }
      const [row] = await leaseApprovals(database, 1, deps.now())
      assert.ok(row)
      assert.equal(row.approval_id, change.approvalId)
      // Two at once, too: the second one has the same row from before.
      await Promise.all([work(dying, row), work(dying, row)])
      const made = good(await read(path)).items
      assert.equal(made.length, 1)
      assert.equal((await approvalNow(change.approvalId)).activity.changeRequest.status, 'Pending')
      platform.clock.ahead = 60_000
      await Promise.all([platform.workApprovals(), platform.workApprovals()])
      platform.clock.ahead = 0
      assert.equal((await approvalNow(change.approvalId)).activity.changeRequest.status, 'Applied')
      const after = good(await read(path)).items
      assert.deepEqual([after.length, after[0].id], [1, made[0].id])
    }))

  it('waits for signers, and goes on when they are back', () =>
    under(governing('Permissions:Modify'), async () => {
      const { id } = await permission()
      const change = good(await byBot('PUT', `/permissions/${id}`, { name: `s${id}` }), 202)
      good(await decide(change.approvalId, 'Approved'))
      const { database, solo, deps } = platform
      const warned: unknown[] = []
      const report = { warn: (context: unknown) => warned.push(context), error: assert.fail }
      solo.missing = ['signer-1', 'signer-2']
      const [row] = await leaseApprovals(database, 1, deps.now())
      assert.ok(row)
      await work({ ...deps, report, resolvers: resolversOf(deps) }, row)
      solo.missing = []
      assert.equal(warned.length, 1)
      assert.equal((await approvalNow(change.approvalId)).activity.changeRequest.status, 'Pending')
      platform.clock.ahead = 60_000
      await platform.workApprovals()
      platform.clock.ahead = 0
      assert.equal(good(await read(`/permissions/${id}`)).name, `s${id}`)
    }))
})

describe('an approval', () => {
  it('shows all that its id stands for, and why each policy wants it', () =>
    under(governing('Permissions:Modify'), async () => {
      const { id } = await permission()
      const change = good(await byBot('PUT', `/permissions/${id}`, { name: `n${id}` }), 202)
      const shown = await approvalNow(change.approvalId)
      const opening = decode(openingCodec, fromHex(shown.opening))
      assert.equal(nameOf('approval', approvalId(opening)), change.approvalId)
      assert.deepEqual(requestHash(fromBase64url(shown.preimage)), opening.request)
      assert.equal(shown.payload, JSON.stringify({ name: `n${id}` }))
      assert.equal(shown.initiatorId, company.serviceAccount.userId)
      const [evaluation] = shown.policyEvaluations
      assert.equal(
        evaluation.policyId,
        nameOf('policy', opening.policies[0]?.policy ?? new Uint8Array()),
      )
      assert.ok(evaluation.triggered && evaluation.reason !== '')
      good(await decide(change.approvalId, 'Denied'))
    }))

  it('is listed by what became of it, who asked and who may decide', () =>
    under(
      governing('Permissions:Modify', {
        action: {
          kind: 'RequestApproval',
          approvalGroups: [
            { quorum: 1, approvers: { userId: { in: [company.administrator.userId] } } },
          ],
        },
      }),
      async () => {
        const { id } = await permission()
        const change = good(await byBot('PUT', `/permissions/${id}`, { name: `l${id}` }), 202)
        await platform.workApprovals()
        // What other tests have left is not of interest.
        const list = async (query: string) =>
          good(await read(`/v2/policy-approvals?${query}`))
            .items.map((item: { readonly id: string }) => item.id)
            .filter((name: string) => name === change.approvalId)
        const { administrator, serviceAccount } = company
        const pending = 'status=Pending'
        assert.deepEqual(await list(pending), [change.approvalId])
        assert.deepEqual(await list(`${pending}&initiatorId=${administrator.userId}`), [])
        assert.deepEqual(await list(`${pending}&approverId=${administrator.userId}`), [
          change.approvalId,
        ])
        assert.deepEqual(await list(`${pending}&approverId=${serviceAccount.userId}`), [])
        assert.deepEqual(await list(`${pending}&approverId=%25`), [])
        good(await decide(change.approvalId, 'Denied'))
        assert.ok((await list('status=Denied&limit=1')).includes(change.approvalId))
      },
    ))

  it('is decided by its approvers alone, once each', () =>
    under(governing('Permissions:Modify'), async () => {
      const { id } = await permission()
      const change = good(await byAdmin('PUT', `/permissions/${id}`, { name: `o${id}` }), 202)
      const path = `/v2/policy-approvals/${change.approvalId}/decisions`
      const own = await decide(change.approvalId, 'Approved')
      assert.deepEqual(
        [own.status, own.body.error.message],
        [403, 'User may not decide on this approval'],
      )
      assert.equal((await byBot('POST', path, { value: 'Approved' })).status, 403)
      assert.equal((await byBot('POST', path, { value: 'Perhaps' })).status, 400)
      const none = nameOf('approval', new Uint8Array(32))
      assert.equal((await decide(none, 'Approved')).status, 404)
      good(await decide(change.approvalId, 'Denied'))
    }))

  it('wants each of its approvers once', () =>
    under(
      governing('Permissions:Modify', {
        action: {
          kind: 'RequestApproval',
          approvalGroups: [
            {
              ...{ quorum: 2, approvers: {} },
              ...{ serviceAccountsCanApprove: true, initiatorCanApprove: true },
            },
          ],
        },
      }),
      async () => {
        const { id } = await permission()
        const change = good(await byBot('PUT', `/permissions/${id}`, { name: `q${id}` }), 202)
        assert.equal(good(await decide(change.approvalId, 'Approved')).status, 'Pending')
        assert.equal((await decide(change.approvalId, 'Approved')).status, 409)
        const path = `/v2/policy-approvals/${change.approvalId}/decisions`
        assert.equal(good(await byBot('POST', path, { value: 'Approved' })).status, 'Approved')
        await platform.workApprovals()
        assert.equal(good(await read(`/permissions/${id}`)).name, `q${id}`)
      },
    ))

  it('is written of to whoever may decide, and its end to whoever asked', async () => {
    const mails = async (template: string) =>
      (
        await platform.database
          .selectFrom('mails')
          .select(['recipient', 'values_json'])
          .where('template', '=', template)
          .execute()
      ).length
    const [wanted, resolved] = [await mails('approval-wanted'), await mails('approval-resolved')]
    await under(governing('Permissions:Modify'), async () => {
      const { id } = await permission()
      const byRobot = good(await byBot('PUT', `/permissions/${id}`, { name: `m${id}` }), 202)
      await platform.workApprovals()
      assert.equal(await mails('approval-wanted'), wanted + 1)
      good(await decide(byRobot.approvalId, 'Denied'))
      await platform.workApprovals()
      assert.equal(await mails('approval-resolved'), resolved)
      const own = good(await byAdmin('PUT', `/permissions/${id}`, { name: `m${id}` }), 202)
      await platform.workApprovals()
      assert.equal(await mails('approval-wanted'), wanted + 1)
      good(await decide(own.approvalId, 'Denied'))
      await platform.workApprovals()
      assert.equal(await mails('approval-resolved'), resolved + 1)
    })
  })

  it('has the same rows when they are made again of the log', async () => {
    assert.deepEqual((await platform.rebuild()).differences, [])
  })
})
