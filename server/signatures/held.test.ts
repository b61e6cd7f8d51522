import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { foundCompany, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type Answer, type Speaker } from '../testing/raw-client.ts'
import { resumeSignatures } from './execute.ts'

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

async function ask(speaker: Speaker, path: string, body: object): Promise<Answer> {
  const client = rawClient(platform.baseUrl, speaker)
  const signed = await client.sign(await client.init('POST', path, body))
  return client.send('POST', path, body, signed.body.userAction)
}
const byBot = (path: string, body: object) => ask(company.serviceAccount, path, body)
const byAdmin = (path: string, body: object) => ask(company.administrator, path, body)
const read = (path: string) => rawClient(platform.baseUrl, company.serviceAccount).send('GET', path)
function good({ status, body }: Answer) {
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

const asking = { kind: 'RequestApproval', approvalGroups: [{ quorum: 1, approvers: {} }] }
const message = (more: object = {}) => ({ kind: 'Message', message: '0x68656c6c6f', ...more })
const decide = async (id: string, value: string) => {
  good(await byAdmin(`/v2/policy-approvals/${id}/decisions`, { value }))
  await platform.workApprovals()
}

/** With a policy on it alone. */
async function walletUnder(action: object): Promise<string> {
  const { id, signingKey } = good(await byBot('/wallets', { network: 'KeyEdDSA' }))
  good(
    await byAdmin('/v2/policies', {
      ...{ name: 'all', activityKind: 'Wallets:Sign', rule: { kind: 'AlwaysTrigger' }, action },
      filters: { walletId: { in: [id] } },
    }),
  )
  key = `/keys/${signingKey.id}/signatures`
  return `/wallets/${id}/signatures`
}
let wallet = ''
let key = ''

describe('a signature that a policy holds', () => {
  beforeEach(async () => {
    wallet = await walletUnder(asking)
  })

  it('is pending with its approval, and made once it is approved: of a wallet and of its key', async () => {
    for (const path of [wallet, key]) {
      const held = good(await byBot(path, message()))
      assert.deepEqual([held.status, held.signature], ['Pending', undefined])
      const approval = good(await read(`/v2/policy-approvals/${held.approvalId}`))
      assert.equal(approval.activity.signatureRequest.id, held.id)
      await platform.workApprovals()
      assert.equal(good(await read(`${path}/${held.id}`)).status, 'Pending')
      await decide(held.approvalId, 'Approved')
      const signed = good(await read(`${path}/${held.id}`))
      assert.deepEqual([signed.status, signed.approvalId], ['Signed', held.approvalId])
      assert.ok(signed.signature && signed.datePolicyResolved && signed.dateSigned)
    }
  })

  it('is rejected when it is denied, and when nobody has approved it in time', async () => {
    const denied = good(await byBot(wallet, message()))
    await decide(denied.approvalId, 'Denied')
    const { status, reason, datePolicyResolved } = good(await read(`${wallet}/${denied.id}`))
    assert.deepEqual([status, reason], ['Rejected', 'an approver has denied it'])
    assert.ok(datePolicyResolved)
    const late = good(await byBot(wallet, message()))
    platform.clock.ahead = 8 * 24 * 60 * 60_000
    await platform.workApprovals()
    platform.clock.ahead = 0
    const expired = good(await read(`${wallet}/${late.id}`))
    assert.deepEqual(
      [expired.status, expired.reason],
      ['Rejected', 'nobody has approved it in time'],
    )
    const told = await platform.database.selectFrom('outbox').select('kind').execute()
    const rejected = told.filter(({ kind }) => kind === 'wallet.signature.rejected')
    assert.equal(rejected.length, 2)
  })

  it('is one with one approval under its external id', async () => {
    const body = message({ externalId: 'once' })
    const [one, other] = await Promise.all([byBot(wallet, body), byBot(wallet, body)])
    const again = good(await byBot(wallet, body))
    assert.deepEqual([good(one).id, good(other).id], [again.id, again.id])
    const approvals = await platform.database
      .selectFrom('approvals')
      .select('id')
      .where('approval_id', '=', again.approvalId)
      .execute()
    assert.equal(approvals.length, 1)
  })

  it('is found again by a server that had not written down that it is held', async () => {
    const held = good(await byBot(wallet, message()))
    const forget = () =>
      platform.database
        .updateTable('signature_requests')
        .set({ status: 'Executing', approval_id: null })
        .where('signature_id', '=', held.id)
        .execute()
    await forget()
    await resumeSignatures(platform.deps, assert.fail)
    const found = good(await read(`${wallet}/${held.id}`))
    assert.deepEqual([found.status, found.approvalId], ['Pending', held.approvalId])
    await forget()
    await decide(held.approvalId, 'Approved')
    assert.equal(good(await read(`${wallet}/${held.id}`)).status, 'Signed')
  })

  it('waits for signers that are not there, approved as it is', async () => {
    const held = good(await byBot(wallet, message()))
    good(await byAdmin(`/v2/policy-approvals/${held.approvalId}/decisions`, { value: 'Approved' }))
    platform.solo.missing = ['one', 'two']
    await platform.workApprovals()
    platform.solo.missing = []
    assert.equal(platform.unexpected.splice(0).length, 1)
    assert.equal(good(await read(`${wallet}/${held.id}`)).status, 'Executing')
    platform.clock.ahead = 60_000
    await platform.workApprovals()
    platform.clock.ahead = 0
    assert.equal(good(await read(`${wallet}/${held.id}`)).status, 'Signed')
  })
})

describe('a signature that a policy blocks', () => {
  it('is refused, for its repetitions as well, and kept as rejected', async () => {
    wallet = await walletUnder({ kind: 'Block' })
    const body = message({ externalId: 'never' })
    for (const answer of [await byBot(wallet, body), await byBot(wallet, body)])
      assert.deepEqual([answer.status, answer.body.message], [403, 'Blocked by policy'])
    const { items } = good(await read(wallet))
    assert.deepEqual([items.length, items[0].status], [1, 'Rejected'])
    assert.match(items[0].reason, /^blocked by policy: /)
  })
})
