import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { trustFrom } from '@quorate/client/trust'
import type { Platform } from '../platform.ts'

export function firstStart(platform: Platform): void {
  describe('the first start', () => {
    it('writes bootstrap.json for its owner alone, with all that is promised in it', () => {
      const { mode } = statSync(join(platform.dataDir, 'bootstrap.json'))
      assert.equal(mode & 0o777, 0o600)
      const { baseUrl, orgId, genesis, administrator, serviceAccount, processes, devnet } =
        platform.bootstrap()
      assert.match(baseUrl, /^http:\/\/127\.0\.0\.1:[0-9]+$/)
      assert.match(orgId, /^or-[a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{14,16}$/)
      assert.match(genesis, /^[0-9a-f]{64}$/)
      for (const { userId, authToken, credId, privateKey } of [administrator, serviceAccount]) {
        assert.match(userId, /^us-[a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{14,16}$/)
        assert.equal(authToken.split('.').length, 3)
        assert.ok(credId.length > 0)
        assert.match(privateKey, /^-----BEGIN PRIVATE KEY-----/)
      }
      assert.ok(administrator.username.length > 0)
      assert.deepEqual(
        processes.signers.map(({ id }) => id),
        ['signer-1', 'signer-2', 'signer-3', 'signer-4'],
      )
      assert.equal(devnet.EthereumSepolia.chainId, 11155111)
      assert.match(devnet.EthereumSepolia.fundedPrivateKey, /^0x[0-9a-f]{64}$/)
    })

    it('says where it is, for programs and for people', () => {
      const { port } = new URL(platform.bootstrap().baseUrl)
      assert.match(platform.output(), new RegExp(`ready at http://127\\.0\\.0\\.1:${port}\n`))
      assert.match(platform.output(), new RegExp(`http://localhost:${port}`))
    })

    it('runs what bootstrap.json says, and each process sees its own settings alone', () => {
      const { server, signers } = platform.bootstrap().processes
      assert.ok(settingsOf(server).every((name) => name.startsWith('SERVER_')))
      for (const { pid } of signers)
        assert.ok(settingsOf(pid).every((name) => name.startsWith('SIGNER_')))
    })

    it('leaves no key where others may read it', () => {
      const cluster = join(platform.dataDir, 'cluster')
      const files = readdirSync(cluster, { recursive: true, encoding: 'utf8' })
        .map((name) => join(cluster, name))
        .filter((file) => statSync(file).isFile())
      assert.ok(files.length > 20)
      for (const file of files) assert.equal(statSync(file).mode & 0o077, 0, file)
    })

    it('makes an organization whose whole trust follows from the genesis', async () => {
      const { baseUrl, orgId, genesis, serviceAccount } = platform.bootstrap()
      const headers = { authorization: `Bearer ${serviceAccount.authToken}` }
      const answer = await fetch(`${baseUrl}/orgs/trust`, { headers })
      const told = (await answer.json()) as Parameters<typeof trustFrom>[1]
      const trust = trustFrom(genesis, told)
      assert.equal(trust.orgId, orgId)
      assert.equal(trust.manifest.signers.length, 4)
      assert.deepEqual([trust.manifest.threshold, trust.manifest.quorum], [2, 3])
    })
  })
}

function settingsOf(pid: number): string[] {
  const lines = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean)
  assert.ok(lines.length >= 8)
  return lines.map((line) => line.split('=')[0] ?? '')
}
