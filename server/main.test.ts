import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serverEnvironment } from '@quorate/scripts/environments'
import { type Cluster, provision } from '@quorate/scripts/provision'
import { createTestDatabase, type TestDatabase } from '@quorate/scripts/test-database'
import { makeCluster } from '@quorate/authority/testing/world'
import { freePort } from '@quorate/devnet/free-port'
import { SignerProcess, until } from './coordinator/testing/platform.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

function run(env: Record<string, string>) {
  const child = spawn(process.execPath, [main], { env })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += String(chunk)))
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { child, exited, output: () => output }
}

describe('the server process', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-server-'))
  let home: TestDatabase
  let cluster: Cluster
  before(async () => {
    home = await createTestDatabase()
    const own = { id: 'MyChain', chainId: 777_001, feeCeiling: 1n, legacy: false }
    cluster = await provision(join(folder, 'cluster'), new Date(), [own])
  })
  after(async () => {
    await home.drop()
    rmSync(folder, { recursive: true })
  })

  /** Of a server that knows no nodes, and no way for mail either. */
  const environment = async (of: Cluster) => {
    const [port, linkPort] = [await freePort(), await freePort()]
    const nodesFile = join(folder, 'no-nodes.json')
    writeFileSync(nodesFile, '{}')
    return serverEnvironment(of, {
      ...{ port, linkPort, databaseUrl: home.url, nodesFile, mailFile: nodesFile },
      ...{ publicUrl: `http://localhost:${port}`, keyPool: 0 },
    })
  }

  it('is healthy with all its signers and no fewer, and ends in order', async () => {
    const [port, linkPort] = [await freePort(), await freePort()]
    const nodesFile = join(folder, 'nodes.json')
    writeFileSync(nodesFile, JSON.stringify({ Base: { rpcUrl: 'http://node.invalid/a-key' } }))
    const mailFile = join(folder, 'mail.json')
    writeFileSync(mailFile, JSON.stringify({ folder: join(folder, 'mailbox') }))
    const publicUrl = `http://localhost:${port}`
    const facts = {
      port,
      linkPort,
      databaseUrl: home.url,
      nodesFile,
      mailFile,
      publicUrl,
      keyPool: 0,
    }
    const { child, exited, output } = run({
      ...serverEnvironment(cluster, facts),
      SERVER_HOST: '127.0.0.2',
    })
    const health = async () => {
      const answer = await fetch(`http://127.0.0.2:${port}/health`).catch(() => undefined)
      return answer && { status: answer.status, body: Object(await answer.json()) }
    }
    await until(async () => (await health())?.status === 503)
    const signers = cluster.signers.map((_, i) => new SignerProcess(cluster, i + 1, linkPort))
    for (const signer of signers) signer.start()
    await until(async () => (await health())?.status === 200)
    const { body } = (await health()) ?? {}
    assert.equal(body.status, 'ok')
    await assert.rejects(fetch(`http://127.0.0.1:${port}/health`))
    assert.deepEqual(body.signers[3], { id: 'signer-4', connected: true })

    await signers[3]?.end()
    await until(async () => (await health())?.status === 503)
    child.kill('SIGTERM')
    assert.equal(await exited, 0)
    await Promise.all(signers.map((signer) => signer.end()))
    assert.match(output(), /"network":"Base","node":1,"msg":"a distant node is asked over http"/)
    assert.match(output(), /"network":"MyChain","msg":"a network of the manifest has no node/)
    assert.ok(!output().includes('a-key'))
    for (const line of output().trim().split('\n')) assert.ok(Object(JSON.parse(line)).time)
  })

  it('does not start by a manifest with a network that would pass for another', async () => {
    const manifestFile = join(folder, 'colliding')
    const own = { id: 'Base', chainId: 777_001, feeCeiling: 1n, legacy: false }
    writeFileSync(manifestFile, makeCluster(undefined, [own]).file)
    const { exited, output } = run(await environment({ ...cluster, manifestFile }))
    assert.equal(await exited, 1)
    assert.match(output(), /There is another network Base/)
  })

  it('does not start by a file of authorities that has none', async () => {
    const SERVER_WEBHOOK_AUTHORITIES_FILE = join(folder, 'authorities.pem')
    writeFileSync(SERVER_WEBHOOK_AUTHORITIES_FILE, 'none yet')
    const { exited, output } = run({
      ...(await environment(cluster)),
      SERVER_WEBHOOK_AUTHORITIES_FILE,
    })
    assert.equal(await exited, 1)
    assert.match(output(), /There is no certificate in .*authorities\.pem/)
  })

  it('says everything that is wrong with its settings, and does not start', async () => {
    const { exited, output } = run({ SERVER_PORT: 'http' })
    assert.equal(await exited, 1)
    assert.match(output(), /SERVER_PORT is not valid[^]*SERVER_MANIFEST_FILE is missing/)
  })
})
