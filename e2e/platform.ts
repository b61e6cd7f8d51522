import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { DfnsApiClient } from '@dfns/sdk'
import { type Child, startChild } from '@quorate/devnet/child'
import { freePort } from '@quorate/devnet/free-port'
import { checkedClient, type Credentials } from './checked-client.ts'
import { settings } from './settings.ts'

/** `bootstrap.json`, as far as anybody is promised it. */
export type BootstrapFile = {
  readonly baseUrl: string
  readonly orgId: string
  readonly genesis: string
  readonly administrator: Credentials & { readonly userId: string; readonly username: string }
  readonly serviceAccount: Credentials & { readonly userId: string }
  readonly processes: {
    readonly server: number
    readonly signers: readonly { readonly id: string; readonly pid: number }[]
  }
  readonly devnet: {
    readonly EthereumSepolia: {
      readonly rpcUrl: string
      readonly chainId: number
      readonly fundedPrivateKey: `0x${string}`
    }
  }
}

/** The real platform, all of its processes, in a folder of its own. */
export type Platform = {
  readonly dataDir: string
  /** Starts it; the second time it goes on with the same data. */
  start(): Promise<void>
  /** @returns how it ended, such as `exit code 0` */
  stop(): Promise<string>
  /** For the end of all tests: also takes the folder away. */
  remove(): Promise<void>
  bootstrap(): BootstrapFile
  output(): string
  /** The official client; what is answered is held against its published types. */
  sdk(who?: 'administrator' | 'serviceAccount'): Promise<DfnsApiClient>
  signer(index: number): Puppet
  readonly server: Puppet
  /** Until server and all signers are there, and know of each other. */
  whole(): Promise<void>
}

/** A process of the platform, in the hands of a test. Whoever freezes it lets it go on. */
export type Puppet = {
  pid(): number
  kill(): void
  freeze(): void
  resume(): void
  /** Until it runs under another number than this. */
  restarted(pid: number): Promise<void>
}

const program = fileURLToPath(new URL('run.ts', import.meta.url))

/** A first start makes a database, a cluster and an organization: five seconds on two idle cores. */
const startMsMax = 120_000
/** Whoever has died often is left alone for fifteen seconds, then starts, and signers come back by and by. */
const mendedMsMax = 90_000
/** Every process gets eight seconds to end by itself, in two groups. */
const stopMsMax = 30_000

/** @param keyPool keys of a kind that are born ahead of need */
export async function makePlatform(keyPool = 0): Promise<Platform> {
  const dataDir = mkdtempSync(join(tmpdir(), 'quorate-e2e-'))
  const port = await freePort()
  let child: Child | undefined
  let output = ''
  const bootstrap = () => readBootstrap(dataDir)
  const start = async () => {
    output = ''
    const running = await startChild({
      command: process.execPath,
      args: [program, 'start'],
      env: {
        ...settings.machine,
        QUORATE_PORT: String(port),
        QUORATE_DATA: dataDir,
        QUORATE_KEY_POOL: String(keyPool),
        QUORATE_SERVER_FACTS_FILE: factsFile(dataDir, 'server'),
        QUORATE_SIGNER_FACTS_FILE: factsFile(dataDir, 'signers'),
        ...ownNetworks(dataDir),
      },
      onOutput: (chunk) => (output += chunk.toString()),
      stopSteps: [{ signal: 'SIGTERM', waitMs: stopMsMax }],
    })
    child = running
    let ended: string | undefined
    void running.exited.then((how) => (ended = how))
    await until('the platform is ready', startMsMax, () => {
      if (ended !== undefined) assert.fail(`the platform ended (${ended}): ${output}`)
      return output.includes(`Quorate is ready at http://127.0.0.1:${port}\n`)
    })
  }
  const stop = async () => {
    assert.ok(child, 'the platform runs')
    await child.stop()
    return child.exited
  }
  return {
    dataDir,
    start,
    stop,
    remove: async () => {
      await child?.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
    bootstrap,
    output: () => output,
    sdk: async (who = 'serviceAccount') => {
      const { baseUrl, orgId, [who]: credentials } = bootstrap()
      return checkedClient({ baseUrl, orgId }, credentials)
    },
    signer: (index) => puppet(() => entry(bootstrap().processes.signers, index - 1).pid),
    server: puppet(() => bootstrap().processes.server),
    whole: () =>
      until('all signers are connected', mendedMsMax, () => isWhole(bootstrap().baseUrl)),
  }
}

function puppet(pid: () => number): Puppet {
  return {
    pid,
    kill: () => void process.kill(pid(), 'SIGKILL'),
    freeze: () => void process.kill(pid(), 'SIGSTOP'),
    resume: () => void process.kill(pid(), 'SIGCONT'),
    restarted: (former) => until('it has been started again', mendedMsMax, () => pid() !== former),
  }
}

/** The server answers 200 only with every signer connected. */
async function isWhole(baseUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${baseUrl}/health`, { signal: AbortSignal.timeout(2_000) })).ok
  } catch (error) {
    // Nobody listens while it is being started again.
    if (error instanceof TypeError || error instanceof DOMException) return false
    throw error
  }
}

/** What the server, or all signers, know of prices and recipients: nothing until somebody writes it. */
export function factsFile(dataDir: string, of: 'server' | 'signers'): string {
  return join(dataDir, `facts-of-${of}.json`)
}

/** Networks of the operator's own, where a test has written of any. */
function ownNetworks(dataDir: string): Record<string, string> {
  const { networks, nodes } = ownFiles(dataDir)
  return existsSync(networks) ? { QUORATE_NETWORKS_FILE: networks, QUORATE_NODES_FILE: nodes } : {}
}

export function ownFiles(dataDir: string): { readonly networks: string; readonly nodes: string } {
  return { networks: join(dataDir, 'own-networks.json'), nodes: join(dataDir, 'own-nodes.json') }
}

export function readBootstrap(dataDir: string): BootstrapFile {
  return JSON.parse(readFileSync(join(dataDir, 'bootstrap.json'), 'utf8'))
}

/** Waits for what must come about; says in words what did not. */
export async function until(
  what: string,
  waitMs: number,
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + waitMs
  while (!(await isSo())) {
    if (Date.now() > deadline) assert.fail(`waited ${waitMs} ms until ${what}, in vain`)
    await sleep(50)
  }
}

export function entry<T>(list: readonly T[], index: number): T {
  const found = list[index]
  assert.ok(found !== undefined, `there is an entry ${index}`)
  return found
}
