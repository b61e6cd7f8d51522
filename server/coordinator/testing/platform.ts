import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { getCompileCacheDir } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Subject } from '@quorate/authority/agreement/messages'
import { verifyEd25519 } from '@quorate/authority/ed25519'
import { type Manifest, type OwnNetwork, readManifest } from '@quorate/authority/manifest'
import type { TestDatabase } from '@quorate/scripts/test-database'
import { signerEnvironment } from '@quorate/scripts/environments'
import { type Cluster, provision } from '@quorate/scripts/provision'
import type { Call } from '@quorate/wire/link'
import { inTransaction, openDatabase, type Database } from '../../database/database.ts'
import { type Links, openLinks } from '../../link/links.ts'
import { type Coordinator, openCoordinator } from '../coordinator.ts'
import { createServerDatabase } from '../../testing/database.ts'
import { assertUnderstood, defectsIn, lineOf } from '../../testing/said.ts'

/** A database, a cluster and its four signers as processes of their own, and a server's inside. */
export type Platform = {
  readonly cluster: Cluster
  readonly manifest: Manifest
  readonly databaseUrl: string
  readonly database: Database
  readonly links: Links
  readonly coordinator: Coordinator
  readonly lines: readonly string[]
  readonly signer: (index: number) => SignerProcess
  /** Waits until so many signers are connected. */
  connected(count: number): Promise<void>
  /** @throws where a signer or the coordinator has told of a defect */
  stop(): Promise<void>
}

/** @param networks of the operators' own, for the manifest */
export async function startPlatform(networks: readonly OwnNetwork[] = []): Promise<Platform> {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-platform-'))
  const [home, cluster] = await Promise.all([
    createServerDatabase(),
    provision(join(folder, 'cluster'), new Date(), networks),
  ])
  const manifest = readManifest(new Uint8Array(readFileSync(cluster.manifestFile)), verifyEd25519)
  const lines: string[] = []
  const { database, links, coordinator } = await openServer({ home, cluster, manifest, lines })
  const signers = cluster.signers.map((_, i) => new SignerProcess(cluster, i + 1, links.port))
  for (const signer of signers) signer.start()
  const connected = (count: number) => until(() => links.connected().length === count)
  const stop = async () => {
    await Promise.all(signers.map((signer) => signer.end()))
    await links.close()
    await database.destroy()
    await home.drop()
    rmSync(folder, { recursive: true })
    const outputs = [...signers.map(({ output }) => output), ...lines]
    assertUnderstood(outputs.flatMap(defectsIn))
  }
  const signer = (index: number) => {
    const found = signers[index - 1]
    assert.ok(found)
    return found
  }
  await connected(signers.length).catch(async (error: unknown) => {
    // Whoever failed to start has nothing to stop by, and processes left running hold up the run.
    await stop()
    throw error
  })
  const databaseUrl = home.url
  return {
    cluster,
    manifest,
    databaseUrl,
    database,
    links,
    coordinator,
    lines,
    signer,
    connected,
    stop,
  }
}

async function openServer(given: {
  readonly home: TestDatabase
  readonly cluster: Cluster
  readonly manifest: Manifest
  readonly lines: string[]
}): Promise<Pick<Platform, 'database' | 'links' | 'coordinator'>> {
  const { home, cluster, manifest, lines } = given
  const say = (context: object, message: string) => void lines.push(lineOf(context, message))
  const log = { info: say, warn: say, error: say }
  const database = openDatabase(home.url, (error) => say({}, error.message))
  const links = await openLinks({
    host: '127.0.0.1',
    port: 0,
    manifest,
    keyPem: readFileSync(cluster.server.tlsKeyFile, 'utf8'),
    certificatePem: readFileSync(cluster.server.tlsCertFile, 'utf8'),
    authorityPem: readFileSync(cluster.caFile, 'utf8'),
    log,
  })
  return { database, links, coordinator: openCoordinator({ database, links, manifest, log }) }
}

const signerMain = fileURLToPath(new URL('../../../signer/main.ts', import.meta.url))

/** What others have had compiled in this run, a signer need not compile again. */
const compiled = getCompileCacheDir()
// Node names a folder of its version below the one that it is told.
const compileCache = compiled === undefined ? {} : { NODE_COMPILE_CACHE: dirname(compiled) }

export class SignerProcess {
  private readonly environment: Record<string, string>
  private child: ChildProcess | undefined
  output = ''

  constructor(cluster: Cluster, index: number, linkPort: number) {
    const folder = cluster.signers[index - 1]
    assert.ok(folder)
    this.environment = { ...signerEnvironment(cluster, folder, linkPort), ...compileCache }
  }

  start(): void {
    const child = spawn(process.execPath, [signerMain], { env: this.environment })
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (this.output += String(chunk)))
    this.child = child
  }

  get pid(): number | undefined {
    return this.child?.pid
  }

  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal)
  }

  async end(): Promise<void> {
    const { child } = this
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await exited
  }
}

export async function until(
  isTrue: () => boolean | Promise<boolean>,
  msMax = 60_000,
): Promise<void> {
  const end = Date.now() + msMax
  while (Date.now() < end) {
    if (await isTrue()) return
    await sleep(10)
  }
  assert.fail(`it did not come about within ${msMax} ms`)
}

/** The first step of a stream that a signer lacks, as it says itself. */
export async function lacks(links: Links, signer: number, place: Subject): Promise<number> {
  const request = { kind: 'ask', nonce: new Uint8Array(16) } as const
  const call = { kind: 'agree', ...place, request, session: undefined } as const
  const reply = await links.call(signer, call, 1_000)
  const isHead = typeof reply === 'object' && reply.kind === 'agree' && 'statement' in reply.answer
  return isHead ? reply.answer.statement.seq : -1
}

/**
 * What a server's links look like when its machine loses power at a moment: from the first call that
 * `isMoment` holds for, nothing goes out and nothing comes in any more.
 */
export function cutOff(links: Links, isMoment: (call: Call) => boolean): Links {
  let isCut = false
  return {
    ...links,
    call: async (signer, call, deadlineMs) => {
      isCut ||= isMoment(call)
      if (isCut) return new Promise(() => undefined)
      const reply = await links.call(signer, call, deadlineMs)
      return isCut ? new Promise(() => undefined) : reply
    },
  }
}

/**
 * Another server, whose database is gone as soon as the signers have sealed a step of a key: they all hear
 * of its certificate, and no server has kept it. Whatever it is asked for fails by then.
 */
export function openForgetful({
  databaseUrl,
  links,
  manifest,
}: Pick<Platform, 'databaseUrl' | 'links' | 'manifest'>): Coordinator {
  const database = openDatabase(databaseUrl, () => undefined)
  let gone: Promise<void> | undefined
  const call: Links['call'] = async (signer, asked, deadlineMs) => {
    const reply = await links.call(signer, asked, deadlineMs)
    const isSealed =
      asked.kind === 'agree' && asked.stream.kind === 'key' && asked.request.kind === 'lock'
    if (isSealed) await (gone ??= destroy(database))
    return reply
  }
  const log = { warn: () => undefined, error: () => undefined }
  return openCoordinator({ database, links: { ...links, call }, manifest, log })
}

/** A pool that was never used cannot be destroyed: it would open when it is needed. */
async function destroy(database: Database): Promise<void> {
  await inTransaction(database, async () => undefined)
  await database.destroy()
}
