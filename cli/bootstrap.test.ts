import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it, mock } from 'node:test'
import { openSession, request } from '@quorate/client/session'
import { fromHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import {
  newDataDir,
  setupToken,
  startTestPlatform,
  type TestPlatform,
} from '@quorate/server/testing/platform'
import { bootstrap, refresh } from './bootstrap.ts'

describe('a bootstrap', () => {
  let platform: TestPlatform
  before(async () => void (platform = await startTestPlatform()))
  after(async () => {
    await platform.close()
    assert.deepEqual(platform.unexpected, [])
  })
  const organizations = async () => {
    const rows = await platform.database.selectFrom('organizations').select('org_id').execute()
    return rows.length
  }
  const run = (dataDir: string, baseUrl = platform.baseUrl) =>
    bootstrap({ baseUrl, dataDir, setupToken })
  const works = async ({ authToken: token }: { readonly authToken: string }) =>
    request(platform.baseUrl, { method: 'GET', path: '/keys', token })

  it('keeps its keys on the disk, for this user alone', async () => {
    const dataDir = newDataDir(platform)
    const file = await run(dataDir)
    const kept = join(dataDir, 'bootstrap-keys.json')
    assert.equal(statSync(kept).mode & 0o777, 0o600)
    assert.match(readFileSync(kept, 'utf8'), /BEGIN PRIVATE KEY/)
    assert.match(file.genesis, /^[0-9a-f]{64}$/)
    await works(file.administrator)
    await works(file.serviceAccount)
  })

  it('that runs again gives the same organization, account and keys', async () => {
    const dataDir = newDataDir(platform)
    const [first, count] = [await run(dataDir), await organizations()]
    const second = await run(dataDir)
    const { authToken } = second.administrator
    assert.deepEqual(second, { ...first, administrator: { ...first.administrator, authToken } })
    assert.equal(await organizations(), count)
  })

  it('lets passkeys of this machine in once, and never touches what was laid down since', async () => {
    const dataDir = newDataDir(platform)
    const { administrator, genesis } = await run(dataDir)
    const { authToken, credId, privateKey } = administrator
    const organization = idOf(fromHex(genesis), 'organization')
    const { baseUrl } = platform
    const session = openSession({ baseUrl, authToken, credId, privateKey, organization })
    const parties = async () => {
      const { settings } = Object(await session.get('/orgs/settings'))
      return settings.relyingParties
    }
    const origin = `http://localhost:${new URL(baseUrl).port}`
    assert.deepEqual(await parties(), [{ id: 'localhost', origins: [origin] }])
    const relyingParties = [{ id: 'example.test', origins: ['https://example.test'] }]
    await session.call('PUT', '/orgs/settings', { settings: { relyingParties } })
    await run(dataDir)
    assert.deepEqual(await parties(), relyingParties)
  })

  for (const lost of ['request', 'answer'] as const)
    it(`goes on wherever one ${lost} was lost, and founds one organization`, async () => {
      for (let place = 0; ; place++) {
        const [dataDir, count] = [newDataDir(platform), await organizations()]
        const wire = await startWire(platform.baseUrl, { place, lost })
        const cut = await run(dataDir, wire.baseUrl).then(
          () => false,
          () => true,
        )
        await wire.close()
        if (!cut) return assert.equal(place, requestsOfBootstrap)
        const file = await run(dataDir)
        assert.equal(await organizations(), count + 1, `${lost} ${place}`)
        await works(file.administrator)
        await works(file.serviceAccount)
      }
    })

  for (const lost of ['request', 'answer'] as const)
    it(`goes on when its genesis is too old, after its ${lost} was lost`, async () => {
      const [dataDir, count] = [newDataDir(platform), await organizations()]
      const wire = await startWire(platform.baseUrl, { place: genesisPlace, lost })
      await assert.rejects(run(dataDir, wire.baseUrl))
      await wire.close()
      mock.timers.enable({ apis: ['Date'], now: Date.now() + 11 * 60_000 })
      await works((await run(dataDir)).serviceAccount)
      assert.equal(await organizations(), count + 1)
      mock.timers.reset()
    })

  it('leaves a file whose administrator can be logged in again', async () => {
    const file = await run(newDataDir(platform))
    const again = await refresh({ ...file, more: 1 })
    assert.equal(again.more, 1)
    assert.notEqual(again.administrator.authToken, file.administrator.authToken)
    await works(again.administrator)
  })

  it('trusts the cluster of its folder and no other', async () => {
    const dataDir = newDataDir(platform)
    const other = await startTestPlatform()
    writeFileSync(join(dataDir, 'cluster', 'manifest'), other.solo.cluster.file)
    await other.close()
    await assert.rejects(run(dataDir), { status: 400 })
  })
})

/** Of a whole bootstrap; the second one founds the organization. */
const requestsOfBootstrap = 15
const genesisPlace = 1

/** Passes requests on, and loses one: before it arrives, or its answer. */
async function startWire(
  to: string,
  { place, lost }: { readonly place: number; readonly lost: 'request' | 'answer' },
): Promise<{ readonly baseUrl: string; close(): Promise<void> }> {
  let count = 0
  const server = createServer((incoming, outgoing) => {
    const isLost = count++ === place
    const drop = () => void incoming.socket.destroy()
    if (isLost && lost === 'request') return drop()
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', async () => {
      const { method = '', url = '', headers } = incoming
      const { connection: _, host: __, ...sent } = headers as Record<string, string>
      delete sent['content-length']
      const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }
      const answer = await fetch(new URL(url, to), { method, headers: sent, ...body })
      const text = await answer.text()
      if (isLost) return drop()
      outgoing.writeHead(answer.status, { 'content-type': 'application/json' }).end(text)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
