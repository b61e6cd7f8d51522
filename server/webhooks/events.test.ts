import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { eventKinds, type EventKind } from '@quorate/api/event-kinds'
import { sql } from 'kysely'
import { finish } from '../signatures/execute.ts'
import { foundCompany, newKey, publicPem, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type Answer, type Speaker } from '../testing/raw-client.ts'

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

async function ask(speaker: Speaker, method: string, path: string, body: object) {
  const client = rawClient(platform.baseUrl, speaker)
  const signed = await client.sign(await client.init(method, path, body))
  return good(await client.send(method, path, body, signed.body.userAction))
}
const byBot = (method: string, path: string, body: object = {}) =>
  ask(company.serviceAccount, method, path, body)
const byAdmin = (method: string, path: string, body: object = {}) =>
  ask(company.administrator, method, path, body)
const read = async (path: string) =>
  good(await rawClient(platform.baseUrl, company.serviceAccount).send('GET', path))
function good({ status, body }: Answer) {
  assert.equal(status, 200, JSON.stringify(body))
  return body
}
/** What was told of a thing, the latest last. */
async function told(kind: EventKind, id: string) {
  const rows = await platform.database
    .selectFrom('outbox')
    .select(['kind', 'data'])
    .where('kind', '=', kind)
    .orderBy('id')
    .execute()
  provoked.add(kind)
  return rows.filter(({ data }) => data.includes(id)).map(({ data }) => JSON.parse(data))
}
const provoked = new Set<EventKind>()

const asking = { kind: 'RequestApproval', approvalGroups: [{ quorum: 1, approvers: {} }] }
/** With a policy on it alone. */
async function walletUnder(action: object) {
  const { id } = await byBot('POST', '/wallets', { network: 'KeyEdDSA' })
  return { path: `/wallets/${id}/signatures`, policy: await policyOn(id, action) }
}
const policyOn = (walletId: string, action: object) =>
  byAdmin('POST', '/v2/policies', {
    ...{ name: 'all', activityKind: 'Wallets:Sign', rule: { kind: 'AlwaysTrigger' }, action },
    filters: { walletId: { in: [walletId] } },
  })
/** By a policy. */
async function refused(method: string, path: string, body: object, by?: Speaker) {
  const client = rawClient(platform.baseUrl, by ?? company.administrator)
  const signed = await client.sign(await client.init(method, path, body))
  const answer = await client.send(method, path, body, signed.body.userAction)
  assert.equal(answer.status, 403, JSON.stringify(answer.body))
  return answer.body.error ?? answer.body
}
const fixed = { name: 'fixed', operations: ['Wallets:Read'] }
const message = { kind: 'Message', message: '0x68656c6c6f' }

describe('an event tells what one would read then', () => {
  it('of keys', async () => {
    const { id } = await byBot('POST', '/keys', { scheme: 'EdDSA', curve: 'ed25519', name: 'k' })
    const path = `/keys/${id}`
    assert.deepEqual(await told('key.created', id), [{ key: await read(path) }])
    await byBot('DELETE', path)
    assert.deepEqual(await told('key.deleted', id), [{ key: await read(path) }])
  })

  it('of wallets, and of the keys that are made with them', async () => {
    const body = { network: 'KeyECDSA', name: 'w', externalId: 'e', tags: ['a', 'b'] }
    const made = await byBot('POST', '/wallets', { ...body, delayDelegation: true })
    const [wallet, key] = [`/wallets/${made.id}`, `/keys/${made.signingKey.id}`]
    assert.deepEqual(await told('wallet.created', made.id), [{ wallet: await read(wallet) }])
    const [first] = await told('key.created', made.signingKey.id)
    assert.deepEqual(first, { key: await read(key) })
    assert.equal(first.key.wallets.length, 1)
    await byBot('PUT', `${wallet}/tags`, { tags: ['b', 'c'] })
    const added = { tagsAdded: ['c'], tagsRemoved: [] }
    const tagged = await told('wallet.tags.modified', made.id)
    assert.deepEqual(tagged, [{ wallet: await read(wallet), ...added }])
    await byBot('DELETE', `${wallet}/tags`, { tags: ['a'] })
    const removed = { tagsAdded: [], tagsRemoved: ['a'] }
    const [, untagged] = await told('wallet.tags.modified', made.id)
    assert.deepEqual(untagged, { wallet: await read(wallet), ...removed })
    const customer = { email: 'customer@example.test', kind: 'EndUser' }
    const { user } = await byBot('POST', '/auth/registration/delegated', customer)
    await byBot('POST', `${wallet}/delegate`, { userId: user.id })
    assert.deepEqual(await told('wallet.delegated', made.id), [{ wallet: await read(wallet) }])
    const delegated = await told('key.delegated', made.signingKey.id)
    assert.deepEqual(delegated, [{ key: await read(key) }])
  })

  it('of signatures', async () => {
    const { id: walletId } = await byBot('POST', '/wallets', { network: 'KeyEdDSA' })
    const { id } = await byBot('POST', `/wallets/${walletId}/signatures`, message)
    const signatureRequest = await read(`/wallets/${walletId}/signatures/${id}`)
    assert.deepEqual(await told('wallet.signature.signed', id), [{ signatureRequest }])
    const { signature, dateSigned, ...before } = signatureRequest
    assert.ok(signature && dateSigned)
    const requested = { signatureRequest: { ...before, status: 'Executing' } }
    assert.deepEqual(await told('wallet.signature.requested', id), [requested])
  })

  it('of signatures that come to nothing', async () => {
    const { path } = await walletUnder(asking)
    const failing = await byBot('POST', path, message)
    const row = await platform.database
      .selectFrom('signature_requests')
      .selectAll()
      .where('signature_id', '=', failing.id)
      .executeTakeFirstOrThrow()
    await finish(platform.deps, row, { status: 'Failed', reason: 'a test wants it so' })
    const failed = [{ signatureRequest: await read(`${path}/${failing.id}`) }]
    assert.deepEqual(await told('wallet.signature.failed', failing.id), failed)
    const { id, approvalId } = await byBot('POST', path, message)
    await byAdmin('POST', `/v2/policy-approvals/${approvalId}/decisions`, { value: 'Denied' })
    await platform.workApprovals()
    const rejected = [{ signatureRequest: await read(`${path}/${id}`) }]
    assert.deepEqual(await told('wallet.signature.rejected', id), rejected)
  })
})

describe('an approval', () => {
  it('is told of when it is wanted, with what has triggered it, and when it is resolved', async () => {
    const { path, policy } = await walletUnder(asking)
    const { id, approvalId } = await byBot('POST', path, message)
    await platform.workApprovals()
    await platform.workApprovals()
    const of = `/v2/policy-approvals/${approvalId}`
    const approval = await read(of)
    assert.deepEqual(await told('policy.approval.pending', approvalId), [{ approval }])
    const [triggered, ...others] = await told('policy.triggered', id)
    assert.deepEqual(others, [])
    const { policyEvaluation } = triggered
    assert.match(policyEvaluation.id, /^plce-/)
    const { pendingChangeRequest, ...shown } = await read(`/v2/policies/${policy.id}`)
    assert.equal(pendingChangeRequest, undefined)
    assert.deepEqual(policyEvaluation.policy, shown)
    assert.deepEqual(policyEvaluation.activity, approval.activity)
    assert.equal(policyEvaluation.triggered, true)
    await byAdmin('POST', `${of}/decisions`, { value: 'Denied', reason: 'no' })
    await platform.workApprovals()
    const [resolved, ...more] = await told('policy.approval.resolved', approvalId)
    assert.deepEqual(more, [])
    const { activity, ...rest } = await read(of)
    assert.deepEqual({ ...rest, activity: approval.activity }, resolved.approval)
    assert.equal(activity.signatureRequest.status, 'Rejected')
  })

  it('that is decided before anybody could tell of it is told of as it was, and as it is', async () => {
    const { path } = await walletUnder(asking)
    const { approvalId } = await byBot('POST', path, message)
    const of = `/v2/policy-approvals/${approvalId}`
    const approval = await read(of)
    await byAdmin('POST', `${of}/decisions`, { value: 'Approved' })
    await platform.workApprovals()
    assert.deepEqual(await told('policy.approval.pending', approvalId), [{ approval }])
    const [{ approval: resolved }] = await told('policy.approval.resolved', approvalId)
    assert.deepEqual([resolved.status, resolved.decisions.length], ['Approved', 1])
    assert.ok(resolved.dateResolved)
  })

  it('is not needed for a policy to be told of: it blocks, or wants nothing done', async () => {
    const blocked = await walletUnder({ kind: 'Block' })
    const robot = rawClient(platform.baseUrl, company.serviceAccount)
    assert.equal((await robot.call(blocked.path, message)).status, 403)
    const [{ policyEvaluation }, ...others] = await told('policy.triggered', blocked.policy.id)
    assert.deepEqual(others, [])
    assert.equal(policyEvaluation.policy.action.kind, 'Block')
    const { id: rejected } = (await read(blocked.path)).items[0]
    assert.equal(policyEvaluation.activity.signatureRequest.id, rejected)
    const noted = await walletUnder({ kind: 'NoAction' })
    const { id, status } = await byBot('POST', noted.path, message)
    assert.equal(status, 'Signed')
    const [triggered, ...more] = await told('policy.triggered', noted.policy.id)
    assert.deepEqual(more, [])
    assert.equal(triggered.policyEvaluation.activity.signatureRequest.id, id)
    const { path } = await walletUnder(asking)
    const { approvalId, ...held } = await byBot('POST', path, message)
    await platform.workApprovals()
    await byAdmin('POST', `/v2/policy-approvals/${approvalId}/decisions`, { value: 'Approved' })
    await platform.workApprovals()
    assert.equal((await told('policy.triggered', held.id)).length, 1, 'once, when it was held')
  })

  it('does not keep from being told of a policy that triggers only after it', async () => {
    for (const [action, status] of [
      [{ kind: 'Block' }, 'Rejected'],
      [{ kind: 'NoAction' }, 'Signed'],
    ] as const) {
      const { path, policy } = await walletUnder(asking)
      const { id, walletId, approvalId } = await byBot('POST', path, message)
      await platform.workApprovals()
      const later = await policyOn(walletId, action)
      await byAdmin('POST', `/v2/policy-approvals/${approvalId}/decisions`, { value: 'Approved' })
      await platform.workApprovals()
      assert.equal((await read(`${path}/${id}`)).status, status)
      const evaluations = (await told('policy.triggered', id)).map((one) => one.policyEvaluation)
      assert.deepEqual(
        evaluations.map((one) => one.policy.id),
        [policy.id, later.id],
      )
      assert.equal(evaluations[1].activity.signatureRequest.id, id)
    }
  })

  it('is not needed for a policy to be told of that blocks a change', async () => {
    const { id: permissionId } = await byAdmin('POST', '/permissions', fixed)
    const policy = await byAdmin('POST', '/v2/policies', {
      ...{ name: 'stays', activityKind: 'Permissions:Modify', rule: { kind: 'AlwaysTrigger' } },
      ...{ action: { kind: 'Block' }, filters: { permissionId: { in: [permissionId] } } },
    })
    const rename = (name: string) => refused('PUT', `/permissions/${permissionId}`, { name })
    await rename('other')
    const [triggered, ...others] = await told('policy.triggered', policy.id)
    assert.deepEqual(others, [])
    assert.deepEqual(triggered.policyEvaluation.activity, { kind: 'Permissions:Modify' })
    // What cannot be told of is refused all the same, and the log says so.
    await sql`alter table outbox add constraint none_more check (kind <> 'policy.triggered') not valid`.execute(
      platform.database,
    )
    await rename('another').finally(() =>
      sql`alter table outbox drop constraint none_more`.execute(platform.database),
    )
    assert.equal(platform.unexpected.splice(0).length, 1)
    assert.equal((await told('policy.triggered', policy.id)).length, 1)
  })

  it('is not needed for a policy to be told of that lets nobody have a permission with a new token', async () => {
    for (const [action, said] of [
      [{ kind: 'Block' }, /^Blocked by policy/],
      [asking, /create without permissionId/],
    ] as const) {
      const { id: permissionId } = await byAdmin('POST', '/permissions', {
        ...{ ...fixed, name: `fixed ${action.kind}` },
      })
      const policy = await byAdmin('POST', '/v2/policies', {
        ...{ name: 'kept', activityKind: 'Permissions:Assign', rule: { kind: 'AlwaysTrigger' } },
        ...{ action, filters: { permissionId: { in: [permissionId] } } },
      })
      for (const path of ['/auth/service-accounts', '/auth/pats']) {
        const body = { name: `by ${action.kind}`, publicKey: publicPem(newKey()), permissionId }
        assert.match((await refused('POST', path, body)).message, said)
      }
      const evaluations = await told('policy.triggered', policy.id)
      assert.deepEqual(
        evaluations.map(({ policyEvaluation }) => policyEvaluation.activity),
        [{ kind: 'Permissions:Assign' }, { kind: 'Permissions:Assign' }],
      )
    }
  })

  it('is not needed for a policy to be told of that blocks a derivation, or takes note of it', async () => {
    const { id: keyId } = await byBot('POST', '/keys', { scheme: 'DH', curve: 'secp256k1' })
    const all = { name: 'derivations', activityKind: 'Wallets:Sign' }
    const path = `/keys/${keyId}/derive`
    for (const kind of ['NoAction', 'Block']) {
      const policy = await byAdmin('POST', '/v2/policies', {
        ...{ ...all, rule: { kind: 'AlwaysTrigger' }, action: { kind } },
      })
      const body = { domain: '0x01', seed: kind === 'Block' ? '0x02' : '0x03' }
      if (kind === 'Block') await refused('POST', path, body, company.serviceAccount)
      else assert.match((await byBot('POST', path, body)).output, /^0x/)
      const [triggered, ...others] = await told('policy.triggered', policy.id)
      assert.deepEqual(others, [])
      const { derivationRequest, ...rest } = triggered.policyEvaluation.activity
      assert.deepEqual(rest, { kind: 'Wallets:Sign' })
      assert.deepEqual([derivationRequest.keyId, derivationRequest.requestBody], [keyId, body])
      await byAdmin('DELETE', `/v2/policies/${policy.id}`)
    }
  })

  it('of a change, and one that expires, are told of likewise', async () => {
    const held = await byAdmin('POST', '/v2/policies', {
      ...{ name: 'new ones', activityKind: 'Policies:Create', action: asking },
      rule: { kind: 'AlwaysTrigger' },
    })
    const client = rawClient(platform.baseUrl, company.administrator)
    const another = {
      name: 'another',
      activityKind: 'Wallets:Sign',
      rule: { kind: 'AlwaysTrigger' },
    }
    const { body } = await client.call('/v2/policies', { ...another, action: { kind: 'Block' } })
    await platform.workApprovals()
    const of = `/v2/policy-approvals/${body.approvalId}`
    const pending = await told('policy.approval.pending', body.approvalId)
    assert.deepEqual(pending, [{ approval: await read(of) }])
    const [{ policyEvaluation }] = await told('policy.triggered', body.approvalId)
    assert.equal(policyEvaluation.policy.id, held.id)
    platform.clock.ahead = 8 * 24 * 60 * 60_000
    await platform.workApprovals()
    const [{ approval }] = await told('policy.approval.resolved', body.approvalId)
    platform.clock.ahead = 0
    assert.equal(approval.status, 'Expired')
  })
})

describe('the kinds of events', () => {
  it('are all provoked here, or in the tests of transfers and of the chain', () => {
    const elsewhere = /^wallet\.(transfer|transaction|blockchainevent)\./
    const missing = eventKinds.filter((kind) => !provoked.has(kind) && !elsewhere.test(kind))
    assert.deepEqual(missing, [])
  })
})
