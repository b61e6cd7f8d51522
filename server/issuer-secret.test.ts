import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { fromHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { secretOf } from './auth/federation.ts'
import { openTokens } from './auth/tokens.ts'
import { foundCompany, type Company } from './testing/company.ts'
import { startTestPlatform, type TestPlatform } from './testing/platform.ts'
import { rawClient } from './testing/raw-client.ts'

const issuer = 'https://idp.example.com'
const clientId = 'quorate'
const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })

describe('the command that keeps the secret of a client with an identity provider', () => {
  let platform: TestPlatform
  let company: Company
  let keyFile = ''
  before(async () => {
    platform = await startTestPlatform()
    company = await foundCompany(platform)
    keyFile = join(platform.dataDir, 'token-key.pem')
    writeFileSync(keyFile, pem)
    const client = rawClient(platform.baseUrl, company.administrator)
    const redirectUris = ['https://wallet.example.com/signed-in']
    const issuers = [{ use: 'sso', issuer, clientIds: [clientId], redirectUris }]
    const body = { settings: { issuers } }
    const signed = await client.sign(await client.init('PUT', '/orgs/settings', body))
    const put = await client.send('PUT', '/orgs/settings', body, signed.body.userAction)
    assert.equal(put.status, 200, JSON.stringify(put.body))
  })
  after(() => platform.close())

  const run = (args: readonly string[], input = '') =>
    spawnSync(
      process.execPath,
      [fileURLToPath(new URL('issuer-secret.ts', import.meta.url)), ...args],
      {
        ...{ encoding: 'utf8', input },
        env: { SERVER_DATABASE_URL: platform.databaseUrl, SERVER_TOKEN_KEY_FILE: keyFile },
      },
    )
  const kept = async () =>
    secretOf(
      { database: platform.database, tokens: await openTokens(String(pem)) },
      { organization: idOf(fromHex(company.genesis), 'organization'), issuer, clientId },
    )

  it('reads it from standard input or a file, and shows it nowhere', async () => {
    const made = run([company.orgId, issuer, clientId], 'first secret: 100%\n')
    assert.deepEqual([made.status, made.stderr], [0, ''])
    assert.doesNotMatch(made.stdout, /first/)
    assert.equal(await kept(), 'first secret: 100%')
    const file = join(platform.dataDir, 'secret')
    writeFileSync(file, 'second\r\n')
    assert.equal(run([company.orgId, issuer, clientId, file]).status, 0)
    assert.equal(await kept(), 'second')
    const rows = await platform.database.selectFrom('issuer_secrets').selectAll().execute()
    assert.equal(rows.length, 1)
    assert.ok(!Buffer.from(rows[0]?.secret ?? []).includes('second'))
  })

  it('keeps none for a client that no settings name, nor one that is none', async () => {
    const refused = (args: readonly string[], input: string, why: RegExp) => {
      const { status, stdout, stderr } = run(args, input)
      assert.deepEqual([status, stdout], [1, ''])
      assert.match(stderr, why)
      assert.doesNotMatch(stderr, /hunter/)
    }
    const right = [company.orgId, issuer, clientId]
    refused(['or-aaaaaaaaaaaaaaaaaaaaaaaaaaaa', issuer, clientId], 'hunter2', /no organization/)
    refused([company.orgId, `${issuer}/`, clientId], 'hunter2', /name no client quorate/)
    for (const none of ['\n', 'hunter2\nhunter3\n', 'hunter'.repeat(1_000)])
      refused(right, none, /no secret/)
    assert.equal(await kept(), 'second')
  })

  it('says how it is used', () => {
    for (const args of [
      [company.orgId, issuer],
      [company.orgId, issuer, clientId, 'a', 'b'],
    ]) {
      const { status, stdout } = run(args, 'hunter2')
      assert.equal(status, 2)
      assert.match(stdout, /^usage: quorate issuer-secret /)
    }
  })
})
