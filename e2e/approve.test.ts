import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { approveCommand } from '@quorate/cli/approve'
import { foundCompany, type Company } from '@quorate/server/testing/company'
import { startTestPlatform, type TestPlatform } from '@quorate/server/testing/platform'
import { rawClient } from '@quorate/server/testing/raw-client'

const policy = (name: string) => ({
  ...{ name, activityKind: 'Policies:Create', rule: { kind: 'AlwaysTrigger', configuration: {} } },
  action: {
    kind: 'RequestApproval',
    approvalGroups: [{ quorum: 1, approvers: {}, initiatorCanApprove: true }],
  },
})

describe('quorate approve', () => {
  const dir = mkdtempSync(join(tmpdir(), 'quorate-approve-'))
  const key = join(dir, 'key.pem')
  let platform: TestPlatform
  let company: Company
  before(async () => {
    platform = await startTestPlatform()
    company = await foundCompany(platform)
    writeFileSync(key, company.administrator.privateKey, { mode: 0o600 })
    assert.equal((await call('first')).status, 200)
  })
  after(async () => {
    await platform.close()
    rmSync(dir, { recursive: true })
    assert.deepEqual(platform.unexpected, [])
  })

  const admin = () => rawClient(platform.baseUrl, company.administrator)
  const call = (name: string) => admin().call('/v2/policies', policy(name))
  const held = async (name: string): Promise<string> => {
    const { status, body } = await call(name)
    assert.equal(status, 202, JSON.stringify(body))
    return body.approvalId
  }
  async function run(args: readonly string[], answer: string) {
    const lines: string[] = []
    const ask = async (question: string) => (lines.push(question), answer)
    const { authToken, credId } = company.administrator
    const options = ['--genesis', company.genesis, '--cred', credId, '--key', key]
    const all = [platform.baseUrl, ...options, ...args]
    const code = await approveCommand(all, authToken, { print: (line) => lines.push(line), ask })
    return { code, said: lines.join('\n') }
  }
  const statusOf = async (approvalId: string) =>
    (await admin().send('GET', `/v2/policy-approvals/${approvalId}`)).body.status

  it('shows what is held as it was signed for, and approves just that', async () => {
    const approvalId = await held('second')
    const { code, said } = await run([approvalId, '--reason', 'agreed'], 'approve')
    assert.equal(code, 0, said)
    assert.match(said, /POST \/v2\/policies/)
    assert.match(said, /"name":"second"/)
    assert.match(said, new RegExp(`asked for by ${company.administrator.userId}`))
    assert.equal(await statusOf(approvalId), 'Approved')
  })

  it('denies, or decides nothing', async () => {
    const approvalId = await held('third')
    assert.equal((await run([approvalId], '')).code, 1)
    assert.equal(await statusOf(approvalId), 'Pending')
    assert.equal((await run([approvalId], 'deny')).code, 0)
    assert.equal(await statusOf(approvalId), 'Denied')
  })

  it('says what is wrong, and signs nothing', async () => {
    assert.match((await run([], 'approve')).said, /usage/)
    const unknown = `ap-${'a'.repeat(5)}-${'a'.repeat(5)}-${'a'.repeat(16)}`
    assert.equal((await run([unknown], 'approve')).code, 1)
    const approvalId = await held('fourth')
    const args = [approvalId, '--genesis', '00'.repeat(32)]
    const { code, said } = await run(args, 'approve')
    assert.deepEqual([code, await statusOf(approvalId)], [1, 'Pending'])
    assert.match(said, /for another organization/)
  })
})
