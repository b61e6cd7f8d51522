import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { approvalOf, heldEvidence } from '../approvals/find.ts'
import { foundCompany, newKey, publicPem, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type Answer, type Speaker } from '../testing/raw-client.ts'
import { approvedDerivation } from './held-derivation.ts'

let platform: TestPlatform
let company: Company
let policyId = ''
let keyId = ''
before(async () => {
  platform = await startTestPlatform()
  company = await foundCompany(platform)
  policyId = good(await admin().call('/v2/policies', policy(1))).id
})
beforeEach(async () => {
  keyId = good(await client().call('/keys', { scheme: 'DH', curve: 'secp256k1' })).id
})
after(async () => {
  await platform.close()
  assert.deepEqual(platform.unexpected, [])
})

const client = (who: Speaker = company.serviceAccount) => rawClient(platform.baseUrl, who)
const admin = () => client(company.administrator)
function good({ status, body }: Answer, wanted = 200) {
  assert.equal(status, wanted, JSON.stringify(body))
  return body
}
const policy = (quorum: number) => ({
  ...{ name: 'all', activityKind: 'Wallets:Sign', rule: { kind: 'AlwaysTrigger' } },
  action: { kind: 'RequestApproval', approvalGroups: [{ quorum, approvers: {} }] },
})
const derive = (seed: string, who?: Speaker) =>
  client(who).call(`/keys/${keyId}/derive`, { domain: '0x01', seed })
const approval = (id: string) => client().send('GET', `/v2/policy-approvals/${id}`)
const decide = async (approvalId: string, value: string) => {
  good(await admin().call(`/v2/policy-approvals/${approvalId}/decisions`, { value }))
  await platform.workApprovals()
}
const change = async (method: 'PUT' | 'DELETE', body: object) => {
  const path = `/v2/policies/${policyId}`
  const speaker = admin()
  const signed = await speaker.sign(await speaker.init(method, path, body))
  return speaker.send(method, path, body, signed.body.userAction)
}

describe('a derivation that a policy holds', () => {
  it('is given to whoever asked, when he asks again after its approval', async () => {
    const held = good(await derive('0xAA'), 202)
    const { requestBody, status, output } = held
    assert.deepEqual(
      [held.keyId, requestBody, status, output],
      [keyId, { domain: '0x01', seed: '0xaa' }, 'Pending', undefined],
    )
    const shown = good(await approval(held.approvalId))
    assert.deepEqual(shown.activity, { kind: 'Wallets:Sign', derivationRequest: held })
    await decide(held.approvalId, 'Approved')
    const given = good(await derive('0xaa'))
    assert.match(given.output, /^0x[0-9a-f]{64}$/)
    assert.equal(good(await derive('0xaa')).output, given.output)
    good(await derive('0xab'), 202)
  })

  it('waits for one approval however often it is asked for, until that has its end', async () => {
    const held = good(await derive('0x'), 202)
    assert.deepEqual(good(await derive('0x'), 202), held)
    await decide(held.approvalId, 'Denied')
    const again = good(await derive('0x'), 202)
    assert.notEqual(again.approvalId, held.approvalId)
    platform.clock.ahead = 8 * 24 * 60 * 60_000
    try {
      await platform.workApprovals()
      const { status, activity } = good(await approval(again.approvalId))
      assert.deepEqual([status, activity.derivationRequest.status], ['Expired', 'Expired'])
    } finally {
      platform.clock.ahead = 0
    }
  })

  it('is given to nobody else, nor to another token of his', async () => {
    const held = good(await derive('0x01'), 202)
    await decide(held.approvalId, 'Approved')
    const own = good(await derive('0x01', company.administrator), 202)
    assert.notEqual(own.approvalId, held.approvalId)
    const permission = { name: `derives ${keyId}`, operations: ['Keys:Derive', 'Keys:Read'] }
    const { id: permissionId } = good(await admin().call('/permissions', permission))
    const privateKey = newKey()
    const body = { name: 'pat', publicKey: publicPem(privateKey), permissionId }
    const { accessToken: authToken, credId } = good(await admin().call('/auth/pats', body))
    const byToken = good(await derive('0x01', { authToken, credId, privateKey }), 202)
    assert.notEqual(byToken.approvalId, own.approvalId)
  })

  it('is approved for as long as it was signed for', async () => {
    const { approvalId } = good(await derive('0x01'), 202)
    const { database, deps } = platform
    const { organization, id: key } = await database
      .selectFrom('keys')
      .select(['organization', 'id'])
      .where('key_id', '=', keyId)
      .executeTakeFirstOrThrow()
    const row = await approvalOf(database, organization, approvalId)
    const evidence = await heldEvidence(database, row)
    const token = { id: new Uint8Array(), tokenId: row.token_id ?? '', kind: 'Pat' } as const
    const own = { organization, userId: row.initiator_id, token }
    const found = (ahead: number, caller: Omit<typeof own, 'token'> = own) =>
      approvedDerivation({ ...deps, now: () => Date.now() + ahead }, { key, evidence, caller })
    assert.equal(await found(0), undefined)
    await decide(approvalId, 'Approved')
    const weekMs = 7 * 24 * 60 * 60_000
    assert.deepEqual(await found(weekMs - 60_000), evidence)
    assert.equal(await found(weekMs), undefined)
    const { token: _, ...session } = own
    for (const other of [session, { ...own, userId: company.administrator.userId }])
      assert.equal(await found(0, other), undefined)
  })

  it('is asked for anew when policies want more by now, and is free when none is left', async () => {
    const held = good(await derive('0x02'), 202)
    await decide(held.approvalId, 'Approved')
    good(await change('PUT', policy(2)))
    const again = good(await derive('0x02'), 202)
    assert.notEqual(again.approvalId, held.approvalId)
    good(await change('DELETE', {}))
    good(await derive('0x02'))
    assert.deepEqual((await platform.rebuild()).differences, [])
  })
})
