import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '@quorate/devnet/free-port'

const folder = mkdtempSync(join(tmpdir(), 'quorate-platform-'))
after(() => rmSync(folder, { recursive: true, force: true }))

describe('a platform', () => {
  it('starts everything, each with its own environment alone, and writes bootstrap.json', async () => {
    const run = await start('first')
    await run.ready()
    const file = readBootstrap(run.dataDir)
    assert.equal(file.baseUrl, `http://127.0.0.1:${run.port}`)
    assert.equal(file.orgId, 'or-test')
    assert.deepEqual(
      file.processes.signers.map(({ id }) => id),
      ['signer-1', 'signer-2', 'signer-3', 'signer-4'],
    )
    assert.equal(file.devnet.EthereumSepolia.chainId, 11155111)
    assert.equal(statSync(join(run.dataDir, 'bootstrap.json')).mode & 0o777, 0o600)
    const names = environmentOf(file.processes.signers[0]?.pid ?? 0).map(
      (line) => line.split('=')[0],
    )
    assert.ok(names.length >= 10 && names.every((name) => name?.startsWith('SIGNER_')), `${names}`)
    assert.equal(await run.stop('SIGTERM'), 0)
    assert.deepEqual(processesOf(run.dataDir), [])
  })

  it('goes on with the same data, and bootstraps once', async () => {
    const before = readBootstrap(join(folder, 'first'))
    const run = await start('first')
    await run.ready()
    const file = readBootstrap(run.dataDir)
    assert.equal(file.madeAt, before.madeAt)
    assert.notEqual(file.processes.server, before.processes.server)
    assert.equal(await run.stop('SIGINT'), 0)
  })

  it('starts a process again when it dies, says so, and writes down its new number', async () => {
    const run = await start('first')
    await run.ready()
    const old = readBootstrap(run.dataDir).processes
    process.kill(old.server, 'SIGKILL')
    process.kill(old.signers[1]?.pid ?? 0, 'SIGKILL')
    await until(() => {
      const { server, signers } = readBootstrap(run.dataDir).processes
      return server !== old.server && signers[1]?.pid !== old.signers[1]?.pid
    })
    assert.match(run.output(), /server ended \(signal SIGKILL\): starting it again/)
    assert.match(run.output(), /signer-2 ended \(signal SIGKILL\): starting it again/)
    assert.equal(readBootstrap(run.dataDir).processes.signers[0]?.pid, old.signers[0]?.pid)
    assert.equal(await run.stop('SIGTERM'), 0)
    assert.deepEqual(processesOf(run.dataDir), [])
  })

  it('leaves nothing running when it is killed outright, and starts again after that', async () => {
    const run = await start('first')
    await run.ready()
    run.child.kill('SIGKILL')
    await until(() => processesOf(run.dataDir).length === 0)
    const next = await start('first')
    await next.ready()
    assert.equal(await next.stop('SIGTERM'), 0)
  })

  it('is refused a data folder that another one is running on', async () => {
    const run = await start('first')
    await run.ready()
    const second = await start('first')
    assert.equal(await second.ended, 1)
    assert.match(second.output(), new RegExp(`already, as process ${run.child.pid}: stop it`))
    assert.equal(await run.stop('SIGTERM'), 0)
  })

  it('runs beside another one, and neither shares a port or a key with it', async () => {
    const [one, two] = [await start('first'), await start('second')]
    await Promise.all([one.ready(), two.ready()])
    const key = (dataDir: string) =>
      readFileSync(join(dataDir, 'cluster/signers/signer-1/identity.pem'))
    assert.notDeepEqual(key(one.dataDir), key(two.dataDir))
    assert.deepEqual(await Promise.all([one.stop('SIGTERM'), two.stop('SIGTERM')]), [0, 0])
    assert.deepEqual([...processesOf(one.dataDir), ...processesOf(two.dataDir)], [])
  })

  it('ends with 0 and leaves nothing running, whenever in its start it is told to stop, even twice', async () => {
    for (const waitMs of [0, 150, 400, 900, 1_300]) {
      const run = await start(`stopped-${waitMs}`)
      await sleep(waitMs)
      run.child.kill('SIGTERM')
      assert.ok([0, null].includes(await run.stop('SIGTERM')), `${waitMs} ms: ${run.output()}`)
      assert.deepEqual(processesOf(run.dataDir), [], `${waitMs} ms`)
    }
  })

  it('passes on what is the server’s alone, and says which network of the manifest has no nodes', async () => {
    const [networks, nodes] = [join(folder, 'own.json'), join(folder, 'nodes.json')]
    const traits = { chainId: 777_001, feeCeiling: '1' }
    writeFileSync(networks, JSON.stringify({ MyChain: traits }))
    const words = { name: 'My Chain', symbol: 'MINE', confirmations: 2 }
    writeFileSync(nodes, JSON.stringify({ MyChain: { rpcUrl: 'http://127.0.0.1:9', ...words } }))
    const origins = { SERVER_CORS_ORIGINS: 'https://a.example' }
    const more = { ...origins, QUORATE_NETWORKS_FILE: networks, QUORATE_NODES_FILE: nodes }
    const run = await start('own', 'signer.ts', more)
    await run.ready()
    assert.doesNotMatch(run.output(), /has no nodes/)
    const { server, signers } = readBootstrap(run.dataDir).processes
    const given = 'SERVER_CORS_ORIGINS=https://a.example'
    assert.ok(environmentOf(server).includes(given))
    assert.ok(!environmentOf(signers[0]?.pid ?? 0).includes(given))
    const file = join(run.dataDir, 'database-url')
    assert.match(readFileSync(file, 'utf8'), /^postgresql:/)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.equal(await run.stop('SIGTERM'), 0)
    const without = await start('own')
    await without.ready()
    assert.match(without.output(), /MyChain has no nodes, so that nothing is paid there/)
    assert.equal(await without.stop('SIGTERM'), 0)
  })

  it('says why a process does not start, and stops the others', async () => {
    const run = await start('broken', 'broken.ts')
    assert.equal(await run.ended, 1)
    assert.match(run.output(), /process signer-[1-4] ended while starting \(exit code 1\)/)
    assert.match(run.output(), /SIGNER_WHATEVER is missing/)
    assert.deepEqual(processesOf(run.dataDir), [])
  })

  it('names a port that is taken, and every setting that is wrong', async () => {
    const run = await start('first')
    await run.ready()
    const second = await start('third', 'signer.ts', { QUORATE_PORT: String(run.port) })
    assert.equal(await second.ended, 1)
    assert.match(second.output(), /Port \d+ is taken: set QUORATE_PORT to another one/)
    assert.equal(await run.stop('SIGTERM'), 0)

    const wrong = await start('third', 'signer.ts', { QUORATE_PORT: '99999', QUORATE_DATE: 'x' })
    assert.equal(await wrong.ended, 1)
    assert.match(wrong.output(), /QUORATE_PORT is not valid/)
    assert.match(wrong.output(), /QUORATE_DATE is not a setting/)
  })
})

type Started = {
  readonly child: ChildProcess
  readonly dataDir: string
  readonly port: number
  readonly ended: Promise<number | null>
  output(): string
  ready(): Promise<void>
  stop(signal: NodeJS.Signals): Promise<number | null>
}

const program = fileURLToPath(new URL('stand-in/start.ts', import.meta.url))

async function start(name: string, signer = 'signer.ts', more = {}): Promise<Started> {
  const port = await freePort()
  const dataDir = join(folder, name)
  const { PATH = '' } = process.env
  const env = { PATH, QUORATE_PORT: String(port), QUORATE_DATA: dataDir, ...more }
  const child = spawn(process.execPath, [program, signer], { env })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
  const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)))
  const stop = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    return ended
  }
  const ready = () =>
    until(() => {
      if (child.exitCode !== null) throw new Error(`ended: ${text}`)
      return text.includes(`Quorate is ready at http://127.0.0.1:${port}\n`)
    })
  return { child, dataDir, port, ended, output: () => text, ready, stop }
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error('waited too long')
    await sleep(50)
  }
}

type BootstrapFile = {
  readonly baseUrl: string
  readonly orgId: string
  readonly madeAt: number
  readonly processes: {
    readonly server: number
    readonly signers: readonly { readonly id: string; readonly pid: number }[]
  }
  readonly devnet: { readonly EthereumSepolia: { readonly chainId: number } }
}

function readBootstrap(dataDir: string): BootstrapFile {
  return JSON.parse(readFileSync(join(dataDir, 'bootstrap.json'), 'utf8'))
}

/** Every process that has the folder in its command line, working folder or environment. */
function processesOf(dataDir: string): string[] {
  const numbers = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))
  return numbers.filter((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      return `${line}${environmentOf(pid)}`.includes(`${dataDir}/`)
    } catch (error) {
      // It ended while we looked, or it is another user's.
      if (error instanceof Error && /ENOENT|ESRCH|EACCES/.test(error.message)) return false
      throw error
    }
  })
}

function environmentOf(pid: number | string): string[] {
  return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean)
}
