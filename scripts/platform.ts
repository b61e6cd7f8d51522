import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { toHex } from '@quorate/core/bytes'
import { isObject, type Json, type JsonObject, parseFile } from '@quorate/core/json'
import { type Child, startChild, stopChildren } from '@quorate/devnet/child'
import { deployOnce } from '@quorate/devnet/deploy'
import { type RunningEthereum, startEthereum } from '@quorate/devnet/ethereum'
import { freePort, isFree } from '@quorate/devnet/free-port'
import { serverEnvironment, signerEnvironment } from './environments.ts'
import { lastLines, logFile } from './log-file.ts'
import { readOwnNetworks } from './own-networks.ts'
import { makeSocketDir, removeSocketDir, startPostgres } from './postgres.ts'
import { type Cluster, provision } from './provision.ts'
import type { StartSettings } from './settings.ts'
import { type BackOff, type Supervised, supervise } from './supervisor.ts'
import { writePrivateFile } from './write-file.ts'

/** What a start makes or renews through the public API: see `cli/bootstrap`. */
export type Bootstrap = (ask: {
  readonly baseUrl: string
  readonly dataDir: string
  readonly setupToken: string
  /** What an earlier start has left, if there was one. */
  readonly earlier: object | undefined
}) => Promise<object>

export type PlatformOptions = StartSettings & {
  readonly bootstrap: Bootstrap
  readonly say: (line: string) => void
  /** Also gives up a start that is under way, which then throws. */
  readonly stopSignal: AbortSignal
  /** The programs that become server and signers. */
  readonly entries?: Entries
  /** A folder in which each of them leaves a profile of its processor time when it ends. */
  readonly profileDir?: string | undefined
  /** How soon each of them is there again. */
  readonly backOff?: BackOff
}

export type Entries = { readonly server: string; readonly signer: string }

export type Platform = { readonly baseUrl: string; stop(): Promise<void> }

const programs: Entries = {
  server: fileURLToPath(new URL('../server/main.ts', import.meta.url)),
  signer: fileURLToPath(new URL('../signer/main.ts', import.meta.url)),
}

/** Migrations on a slow disk and five processes on two cores; usually two seconds. */
const readyWaitMs = 120_000

/**
 * Starts every process of a platform and keeps them running. The caller holds the lock on
 * `dataDir`, and calls `stopChildren` at the end. When it throws, nothing is left running.
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { port, dataDir, stopSignal } = options
  if (!(await isFree(port)))
    throw new Error(`Port ${port} is taken: set QUORATE_PORT to another one.`)
  const baseUrl = `http://127.0.0.1:${port}`
  const socketDir = renewSocketDir(dataDir)
  const started: Supervised[] = []
  const stop = () => stopAll(started, socketDir)
  stopSignal.addEventListener('abort', stop)
  try {
    const own = readOwnNetworks(options.networksFile)
    const cluster = await provision(join(dataDir, 'cluster'), new Date(), own)
    const run = { ...options, baseUrl, socketDir, cluster, started, afterRestart: () => undefined }
    await startAndWrite(run)
    return { baseUrl, stop }
  } catch (error) {
    await stop()
    throw error
  } finally {
    stopSignal.removeEventListener('abort', stop)
  }
}

/** A start that was killed could not remove its own. */
function renewSocketDir(dataDir: string): string {
  const file = join(dataDir, 'socket-folder')
  if (existsSync(file)) removeSocketDir(readFileSync(file, 'utf8'))
  const socketDir = makeSocketDir()
  writePrivateFile(file, socketDir)
  return socketDir
}

/** Those that use the database and the chain first; then also what is still only starting. */
async function stopAll(started: readonly Supervised[], socketDir: string): Promise<void> {
  const [processes, nodes] = [started.slice(nodeCount), started.slice(0, nodeCount)]
  await Promise.all(processes.map((service) => service.stop()))
  await Promise.all(nodes.map((service) => service.stop()))
  await stopChildren()
  removeSocketDir(socketDir)
}

/** PostgreSQL and Ethereum, which are started before everything else. */
const nodeCount = 2

type Run = PlatformOptions & {
  readonly baseUrl: string
  readonly socketDir: string
  readonly cluster: Cluster
  /** In the order of their start. */
  readonly started: Supervised[]
  afterRestart: () => void
}

async function startAndWrite(run: Run): Promise<void> {
  const nodes = await startNodes(run)
  const [processes] = await Promise.all([startProcesses(run, nodes), deployAccount(nodes)])
  await untilReady(run, processes)
  const bootstrapped = await bootstrapOnce(run)
  const write = () => writeBootstrapFile(run, { ...nodes, ...processes, bootstrapped })
  run.afterRestart = write
  write()
}

async function keep<Running extends Child>(
  run: Run,
  name: string,
  start: (log: (chunk: Buffer) => void) => Promise<Running>,
): Promise<Supervised<Running>> {
  const log = logFile(logPath(run, name))
  const { say, stopSignal, backOff } = run
  const startUnlessStopping = async () => {
    stopSignal.throwIfAborted()
    return start(log)
  }
  const onRestart = () => run.afterRestart()
  const how = { say, onRestart, ...(backOff === undefined ? {} : { backOff }) }
  const kept = await supervise({ name, start: startUnlessStopping }, how)
  run.started.push(kept)
  if (stopSignal.aborted) await kept.stop()
  stopSignal.throwIfAborted()
  return kept
}

const logPath = ({ dataDir }: Run, name: string) => join(dataDir, 'logs', `${name}.log`)

type Nodes = {
  readonly ports: Ports
  readonly databaseUrl: string
  readonly ethereum: Supervised<RunningEthereum>
  readonly nodesFile: string
}

async function startNodes(run: Run): Promise<Nodes> {
  const { dataDir, postgresBin, socketDir } = run
  const others = otherNodes(run)
  const ports = await choosePorts(dataDir)
  const [postgres, ethereum] = await Promise.all([
    keep(run, 'postgres', (onOutput) =>
      startPostgres({
        dataDir: join(dataDir, 'postgres'),
        binDir: postgresBin === '' ? undefined : postgresBin,
        socketDir,
        onOutput,
      }),
    ),
    keep(run, 'ethereum', (onOutput) =>
      startEthereum({ dataDir: join(dataDir, 'ethereum'), port: ports.ethereum, onOutput }),
    ),
  ])
  for (const { id } of run.cluster.networks.filter(({ id }) => !hasNodes(others[id])))
    run.say(`${id} has no nodes, so that nothing is paid there: QUORATE_NODES_FILE names them`)
  // For commands that look at the database: `docs/operations.md`.
  writePrivateFile(join(dataDir, 'database-url'), postgres.current().url)
  const nodesFile = join(dataDir, 'nodes.json')
  const { rpcUrl } = ethereum.current()
  // A local chain of one-second blocks settles as fast as it pleases: two, so that there is a wait.
  const local = { EthereumSepolia: { rpcUrl, confirmations: 2 } }
  writePrivateFile(nodesFile, JSON.stringify({ ...others, ...local }))
  return { ports, databaseUrl: postgres.current().url, ethereum, nodesFile }
}

function hasNodes(entry: Json | undefined): boolean {
  return isObject(entry) && (entry['rpcUrl'] !== undefined || entry['rpcUrls'] !== undefined)
}

/** What is in it is the server's to judge. @throws Error where it names nodes of the local network */
function otherNodes({ nodesFile }: Run): JsonObject {
  if (nodesFile === '') return {}
  const nodes = parseFile(readFileSync(nodesFile, 'utf8'), 'file of nodes')
  if (nodes['EthereumSepolia'] === undefined) return nodes
  throw new Error('EthereumSepolia is the local chain here: leave it out of QUORATE_NODES_FILE.')
}

/** Without it nobody could try fee sponsors. */
async function deployAccount({ ethereum }: Nodes): Promise<void> {
  // Half a second to load, which nobody has to wait for who only stops or asks for help.
  const { accountAddress, deployment } = await import('@quorate/chains/evm/account/account')
  const { to, data } = deployment()
  const { rpcUrl } = ethereum.current()
  await deployOnce(rpcUrl, { address: accountAddress, to, data: `0x${toHex(data)}` })
}

type Processes = {
  readonly server: Supervised
  readonly signers: readonly { readonly id: string; readonly service: Supervised }[]
}

async function startProcesses(run: Run, nodes: Nodes): Promise<Processes> {
  const { cluster, entries = programs } = run
  const { databaseUrl, nodesFile, ports } = nodes
  const server = await keep(run, 'server', (onOutput) =>
    startChild({
      command: process.execPath,
      args: [...profiling(run, 'server'), entries.server],
      cwd: cluster.server.dir,
      env: {
        ...serverEnvironment(cluster, {
          port: run.port,
          linkPort: ports.link,
          databaseUrl,
          nodesFile,
          mailFile: writeMailFile(run),
          publicUrl: `http://localhost:${run.port}`,
          keyPool: run.keyPool,
        }),
        ...where('SERVER_FACTS_FILE', run.serverFactsFile),
        ...run.passedOn,
      },
      onOutput,
    }),
  )
  const freezeMailbox = join(run.dataDir, 'freeze-mailbox')
  mkdirSync(freezeMailbox, { recursive: true, mode: 0o700 })
  const signers = cluster.signers.map(async (signer) => ({
    id: signer.id,
    service: await keep(run, signer.id, (onOutput) =>
      startChild({
        command: process.execPath,
        args: [...profiling(run, signer.id), entries.signer],
        cwd: signer.dir,
        env: {
          ...signerEnvironment(cluster, signer, ports.link),
          SIGNER_MAILBOX: freezeMailbox,
          ...where('SIGNER_FACTS_FILE', run.signerFactsFile),
        },
        onOutput,
      }),
    ),
  }))
  return { server, signers: await Promise.all(signers) }
}

/** A setting that is left out where there is no such file. */
function where(name: string, file: string): Record<string, string> {
  return file === '' ? {} : { [name]: file }
}

function profiling({ profileDir }: Run, name: string): readonly string[] {
  if (profileDir === undefined) return []
  return ['--cpu-prof', `--cpu-prof-dir=${profileDir}`, `--cpu-prof-name=${name}.cpuprofile`]
}

/** Nothing leaves this machine: mails go into a folder, and a page shows them. */
function writeMailFile({ dataDir }: Run): string {
  const file = join(dataDir, 'mail.json')
  writePrivateFile(file, JSON.stringify({ folder: join(dataDir, 'mailbox') }))
  return file
}

type Ports = { readonly link: number; readonly ethereum: number }

/** Remembered, so that addresses stay the same from one start to the next where possible. */
async function choosePorts(dataDir: string): Promise<Ports> {
  const file = join(dataDir, 'ports.json')
  const old: Partial<Ports> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  const ports = { link: await freePort(old.link), ethereum: await freePort(old.ethereum) }
  writePrivateFile(file, JSON.stringify(ports))
  return ports
}

/** A process that ends before all is ready would end again: better to say why than to go on. */
async function untilReady(run: Run, { server, signers }: Processes): Promise<void> {
  let ended: string | undefined
  const watch = (name: string, { exited }: Child) =>
    void exited.then((how) => (ended ??= `The ${describe(run, name, how)}`))
  watch('server', server.current())
  for (const { id, service } of signers) watch(id, service.current())
  const deadline = Date.now() + readyWaitMs
  while (!(await isReady(run, signers.length))) {
    if (ended !== undefined) throw new Error(ended)
    if (Date.now() > deadline)
      throw new Error(`Not all signers connected in time: see ${dirname(logPath(run, 'server'))}.`)
    await sleep(100)
  }
}

function describe(run: Run, name: string, how: string): string {
  const log = logPath(run, name)
  return `process ${name} ended while starting (${how}). The end of ${log}:\n${lastLines(log)}`
}

/** The server answers 200 only when it works, and names the signers that are connected. */
async function isReady({ baseUrl }: Run, signers: number): Promise<boolean> {
  try {
    const answer = await fetch(`${baseUrl}/health`, { signal: AbortSignal.timeout(2_000) })
    const health: { signers?: unknown } = Object(await answer.json())
    if (!answer.ok || !Array.isArray(health.signers)) return false
    return health.signers.filter((signer) => Object(signer).connected === true).length === signers
  } catch (error) {
    // Not listening yet, or too busy to answer in time, or something other than JSON.
    if (error instanceof TypeError || error instanceof SyntaxError) return false
    if (error instanceof DOMException && error.name === 'TimeoutError') return false
    throw error
  }
}

/** The organization is made once; later starts only rewrite what changes from start to start. */
async function bootstrapOnce({ dataDir, baseUrl, cluster, bootstrap }: Run): Promise<object> {
  const file = bootstrapFile(dataDir)
  const earlier: object | undefined = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : undefined
  const setupToken = readFileSync(cluster.server.setupTokenFile, 'utf8')
  try {
    return await bootstrap({ baseUrl, dataDir, setupToken, earlier })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const what = earlier === undefined ? 'The first organization could not be made' : 'No login'
    throw new Error(`${what}: ${reason}`, { cause })
  }
}

const bootstrapFile = (dataDir: string) => join(dataDir, 'bootstrap.json')

type BootstrapContent = Pick<Nodes, 'ethereum'> & Processes & { readonly bootstrapped: object }

function writeBootstrapFile({ baseUrl, dataDir }: Run, content: BootstrapContent): void {
  const { bootstrapped, ethereum, server, signers } = content
  const { rpcUrl, chainId, fundedPrivateKey } = ethereum.current()
  const file = {
    ...bootstrapped,
    // Last, as the port may have changed since the first start.
    baseUrl,
    processes: {
      server: server.current().pid,
      signers: signers.map(({ id, service }) => ({ id, pid: service.current().pid })),
    },
    devnet: { EthereumSepolia: { rpcUrl, chainId, fundedPrivateKey } },
  }
  writePrivateFile(bootstrapFile(dataDir), `${JSON.stringify(file, undefined, 2)}\n`)
}
