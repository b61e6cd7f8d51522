import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { toHex } from '@quorate/core/bytes'
import { rulesFor } from '@quorate/judge/rules'
import { openDatabase } from '../database/database.ts'
import { createServerDatabase } from '../testing/database.ts'
import { foundCompany, newKey, publicPem, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type Speaker } from '../testing/raw-client.ts'
import { personal } from '../users/personal.ts'
import { applyRoots } from './apply.ts'
import { origins } from './derived.ts'
import { enterSteps } from './enter-steps.ts'
import { rebuildDatabase } from './rebuild.ts'

let platform: TestPlatform
let company: Company
before(async () => {
  platform = await startTestPlatform()
  company = await foundCompany(platform)
})
after(() => platform.close())

/** One signed request; its answer, which must be a good one. */
async function ask(speaker: Speaker, method: string, path: string, body: object = {}) {
  const client = rawClient(platform.baseUrl, speaker)
  const signed = await client.sign(await client.init(method, path, body))
  const { status, body: answer } = await client.send(method, path, body, signed.body.userAction)
  assert.ok([200, 202].includes(status), JSON.stringify([signed.body, answer]))
  return answer
}
const byAdmin = (method: string, path: string, body?: object) =>
  ask(company.administrator, method, path, body)

async function everything(): Promise<void> {
  const invited = { email: 'bob@example.test', kind: 'CustomerEmployee', externalId: 'bob' }
  const { userId } = await byAdmin('POST', '/auth/users', invited)
  await byAdmin('PUT', `/auth/users/${userId}`, { isSSORequired: true })
  const robot = { name: 'second', externalId: 's', publicKey: publicPem(newKey()) }
  const { userInfo } = await byAdmin('POST', '/auth/service-accounts', robot)
  const account = `/auth/service-accounts/${userInfo.userId}`
  await byAdmin('PUT', account, { name: 'renamed' })
  const pat = { name: 'pat', publicKey: publicPem(newKey()), daysValid: 3 }
  const { tokenId } = await byAdmin('POST', '/auth/pats', pat)
  await byAdmin('PUT', `/auth/pats/${tokenId}`, { name: 'other' })
  const permission = { name: 'Readers', operations: ['Wallets:Read'] }
  const { id: permissionId } = await byAdmin('POST', '/permissions', permission)
  const assignments = `/permissions/${permissionId}/assignments`
  const assigned = await byAdmin('POST', assignments, { identityId: userInfo.userId })
  await byAdmin('PUT', `/permissions/${permissionId}`, { name: 'Watchers' })
  await byAdmin('DELETE', `${assignments}/${assigned.id}`)
  await byAdmin('PUT', `/permissions/${permissionId}/archive`, { isArchived: true })
  const made = { scheme: 'EdDSA', curve: 'ed25519', name: 'key' }
  const key = await byAdmin('POST', '/keys', made)
  const signed = { kind: 'Message', message: '0x00', externalId: 'e' }
  await byAdmin('POST', `/keys/${key.id}/signatures`, signed)
  await approvals(key.id)
  const wallet = await byAdmin('POST', '/wallets', { network: 'EthereumSepolia', name: 'w' })
  await byAdmin('PUT', `/wallets/${wallet.id}`, { name: 'v' })
  await byAdmin('PUT', `/wallets/${wallet.id}/tags`, { tags: ['a', 'b'] })
  await byAdmin('DELETE', `/wallets/${wallet.id}/tags`, { tags: ['a'] })
  await byAdmin('DELETE', `/keys/${key.id}`)
  const relyingParties = [{ id: 'example.com', origins: ['https://app.example.com'] }]
  await byAdmin('PUT', '/orgs/settings', { settings: { relyingParties } })
  await byAdmin('DELETE', account)
  await byAdmin('DELETE', `/auth/users/${userId}`)
}

/** In the stream of a key: one is used, one was denied, one still waits; and one of the root. */
async function approvals(keyId: string): Promise<void> {
  const rule = { kind: 'AlwaysTrigger' }
  const action = { kind: 'RequestApproval', approvalGroups: [{ quorum: 1, approvers: {} }] }
  const hold = (activityKind: string) =>
    byAdmin('POST', '/v2/policies', { name: activityKind, activityKind, rule, action })
  const policies = [await hold('Wallets:Sign'), await hold('Permissions:Modify')]
  const message = { kind: 'Message', message: '0x00' }
  const ask = async () =>
    (await askHeld('POST', `/keys/${keyId}/signatures`, message)).approvalId as string
  const named = { name: 'Held', operations: ['Wallets:Read'] }
  const { id: permissionId } = await byAdmin('POST', '/permissions', named)
  const change = await askHeld('PUT', `/permissions/${permissionId}`, { name: 'Changed' })
  for (const [approvalId, value] of [
    [await ask(), 'Approved'],
    [await ask(), 'Denied'],
    [change.approvalId, 'Approved'],
  ])
    await byAdmin('POST', `/v2/policy-approvals/${approvalId}/decisions`, { value, reason: 'r' })
  await ask()
  await platform.workApprovals()
  for (const { id } of policies) await byAdmin('DELETE', `/v2/policies/${id}`)
}
const askHeld = (method: string, path: string, body: object) =>
  ask(company.serviceAccount, method, path, body)

const differences = async (write = false) => (await platform.rebuild({ write })).differences

describe('a database rebuilt from its log', () => {
  before(everything)

  it('has the same rows', async () => {
    const { steps, differences: none } = await platform.rebuild()
    const [{ count } = assert.fail()] = await platform.database
      .selectFrom('steps')
      .select((eb) => eb.fn.countAll().as('count'))
      .execute()
    assert.deepEqual([none, steps], [[], Number(count)])
  })

  it('shows which rows were changed, lost or made up, and mends them when it is told to', async () => {
    const changes: readonly (readonly [string, RegExp])[] = [
      [`update records set value = 'x' where name like 'organization%'`, /records organization/],
      [`delete from wallets`, /wallets [0-9a-f]{64}: 1 rows differ/],
      [`update users set username = 'eve' where kind <> 'serviceAccount'`, /users [0-9a-f]{64}: 4/],
      [`update names set name = 'eve' where lapses_at is null`, / names: /],
      [`delete from request_places where item = 0`, / request_places: /],
      [`update key_certificates set request = 'x'`, / key_certificates: 4/],
      [`update approvals set status = 'Approved'`, / approvals [0-9a-f]{64}: 4/],
      [`delete from approval_decisions where value = 'Denied'`, / approval_decisions: 1/],
      [`update organizations set name = 'Evil'`, / organizations [0-9a-f]{64}: 2/],
      [`insert into permissions (organization, id, created_at) values ('x', 'y', 1)`, /^78 perm/],
    ]
    for (const [statement, found] of changes) {
      await sql.raw(statement).execute(platform.database)
      const shown = await differences()
      assert.equal(shown.length, 1, shown.join())
      assert.match(shown.join(), found)
      assert.ok(!shown.join().includes('eve'))
      assert.deepEqual(await differences(true), shown)
    }
    assert.deepEqual(await differences(), [])
  })

  it('goes no further than its steps follow from each other, and writes nothing then', async () => {
    const forget = `update steps set certificate =
      (select certificate from steps where seq = 2 limit 1) where seq = 3`
    const lose = 'delete from permissions'
    await sql.raw(lose).execute(platform.database)
    const kept = await platform.database
      .selectFrom('steps')
      .selectAll()
      .where('seq', '=', 3)
      .execute()
    await sql.raw(forget).execute(platform.database)
    for (const write of [false, true])
      assert.match((await differences(write)).join(), /^[0-9a-f]{64} root.* 3: no quorum/)
    for (const { certificate, organization, stream } of kept)
      await platform.database
        .updateTable('steps')
        .set({ certificate })
        .where('organization', '=', organization)
        .where('stream', '=', stream)
        .where('seq', '=', 3)
        .execute()
    assert.match((await differences(true)).join(), / permissions /)
    assert.deepEqual(await differences(), [])
  })

  it('is a command, whose exit says how it went', async () => {
    const program = fileURLToPath(new URL('../rebuild.ts', import.meta.url))
    const run = (...args: readonly string[]) =>
      spawnSync(process.execPath, [program, ...args], {
        encoding: 'utf8',
        env: {
          ...process.env,
          SERVER_DATABASE_URL: platform.databaseUrl,
          SERVER_MANIFEST_FILE: join(platform.dataDir, 'cluster', 'manifest'),
        },
      })
    const good = run()
    assert.deepEqual([good.status, good.stderr], [0, ''])
    assert.match(good.stdout, /^[0-9]+ steps, 0 differences\n$/)
    await sql.raw('delete from wallets').execute(platform.database)
    const bad = run('--write')
    assert.match(bad.stdout, /^DIFFERENCE in [0-9a-f]{64} wallets /)
    assert.deepEqual([bad.status, run().status, run('--all').status], [1, 0, 2])
  })

  it('comes to the same from the steps alone, in a database that has nothing else', async () => {
    const home = await createServerDatabase()
    const empty = openDatabase(home.url, (error) => assert.fail(error))
    const file = join(platform.dataDir, 'steps')
    try {
      const rows = await platform.database
        .selectFrom('steps')
        .select(['body', 'certificate'])
        .execute()
      const lines = rows.map(({ body, certificate }) =>
        JSON.stringify({ step: { body: toHex(body), certificate: toHex(certificate) } }),
      )
      writeFileSync(file, lines.join('\n'))
      const rules = rulesFor(platform.solo.cluster.manifest)
      const entered = await enterSteps(home.url, rules, file, { write: true })
      assert.deepEqual(entered, { steps: 0, missing: lines.length, faults: [] })
      await applyRoots(empty, (error) => assert.fail(String(error)))
      assert.deepEqual(await rebuildDatabase(home.url, rules, { write: false }), {
        ...{ steps: lines.length, differences: [] },
      })
    } finally {
      await empty.destroy()
      await home.drop()
    }
  })

  it('knows of every table whether it follows from the log', async () => {
    const { rows } = await sql<{ name: string }>`
      select table_name as name from information_schema.tables
      where table_schema = current_schema() and table_name not like 'schema_%'`.execute(
      platform.database,
    )
    const names = rows.map(({ name }) => name).toSorted()
    assert.deepEqual(Object.keys(origins).toSorted(), names)
    assert.deepEqual(Object.keys(personal).toSorted(), names)
  })
})
