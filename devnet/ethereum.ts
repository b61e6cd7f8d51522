import {
  copyFileSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
} from 'node:fs'
import { readSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Child, plainPath, startChild } from './child.ts'
import { hasCode } from './error-code.ts'
import { freePort } from './free-port.ts'

export type EthereumOptions = {
  /** The chain is kept here; an empty folder begins a new chain. */
  readonly dataDir: string
  /** Taken if it is free, so that the address stays the same; otherwise another one. */
  readonly port?: number
  /** Sepolia's, for which this node stands, if nothing is said. */
  readonly chainId?: number
  readonly onOutput?: (chunk: Buffer) => void
}

export type RunningEthereum = Child & {
  readonly rpcUrl: string
  readonly port: number
  readonly chainId: number
  readonly fundedPrivateKey: `0x${string}`
}

const sepolia = 11155111

/** The first account of the mnemonic every Ethereum development node uses: worth nothing anywhere. */
const fundedPrivateKey = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'

/** It starts in a quarter of a second; reading a long chain back takes longer. */
const readyWaitMs = 60_000

/** How much of the chain is lost when the machine dies in the middle of writing the newest state. */
const copyEveryMs = 15_000

/** Starts a real Ethereum node (anvil) that mines a block a second, and waits until it answers. */
export async function startEthereum(options: EthereumOptions): Promise<RunningEthereum> {
  const { dataDir, chainId = sepolia, onOutput = () => undefined } = options
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const state = join(dataDir, 'state.json')
  restoreState(state)
  const port = await freePort(options.port)
  const child = await startChild({
    command: findAnvil(),
    args: [
      ...['--host', '127.0.0.1', '--port', String(port), '--chain-id', String(chainId)],
      // The state is otherwise written on a clean exit only.
      ...['--block-time', '1', '--state-interval', '1', '--state', state, '--silent'],
    ],
    env: { PATH: plainPath, HOME: dataDir },
    cwd: dataDir,
    onOutput,
  })
  const rpcUrl = `http://127.0.0.1:${port}`
  await untilReady(child, { rpcUrl, chainId })
  const copying = setInterval(() => copyState(state), copyEveryMs).unref()
  void child.exited.then(() => clearInterval(copying))
  return { ...child, rpcUrl, port, chainId, fundedPrivateKey }
}

function findAnvil(): string {
  const names = { x64: 'anvil-linux-amd64', arm64: 'anvil-linux-arm64' }
  const name = Object.entries(names).find(([arch]) => arch === process.arch)?.[1]
  try {
    const manifest = import.meta.resolve(`@foundry-rs/${name}/package.json`)
    return join(dirname(fileURLToPath(manifest)), 'bin', 'anvil')
  } catch (cause) {
    throw new Error(`There is no Ethereum node for ${process.platform} on ${process.arch}.`, {
      cause,
    })
  }
}

async function untilReady(
  child: Child,
  { rpcUrl, chainId }: Pick<RunningEthereum, 'rpcUrl' | 'chainId'>,
): Promise<void> {
  let ended: string | undefined
  void child.exited.then((how) => (ended = how))
  const deadline = Date.now() + readyWaitMs
  while ((await askChainId(rpcUrl)) !== chainId) {
    if (ended !== undefined) throw new Error(`The Ethereum node ended while starting (${ended}).`)
    if (Date.now() > deadline) {
      await child.stop()
      throw new Error('The Ethereum node did not become ready in time.')
    }
    await sleep(50)
  }
}

async function askChainId(rpcUrl: string): Promise<number | undefined> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] })
  const headers = { 'content-type': 'application/json' }
  try {
    const signal = AbortSignal.timeout(2_000)
    const answer = await fetch(rpcUrl, { method: 'POST', headers, body, signal })
    const { result }: { result?: unknown } = Object(await answer.json())
    return typeof result === 'string' ? Number(result) : undefined
  } catch (error) {
    // Nobody listens yet (TypeError), or not in time; whoever ended meanwhile is noticed outside.
    if (error instanceof TypeError || hasCode(error, 'ABORT_ERR')) return undefined
    if (error instanceof DOMException && error.name === 'TimeoutError') return undefined
    throw error
  }
}

/** The node writes its state in place, so a crash can cut it short: then the last whole copy counts. */
function restoreState(state: string): void {
  if (isWholeJson(state)) return copyState(state)
  const copy = `${state}.copy`
  if (isWholeJson(copy)) return copyFileSync(copy, state)
  if (existsSync(state))
    throw new Error(`${state} is damaged and there is no whole copy: move it away for a new chain.`)
}

function isWholeJson(file: string): boolean {
  if (!existsSync(file)) return false
  try {
    JSON.parse(readFileSync(file, 'utf8'))
    return true
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

function copyState(state: string): void {
  if (!existsSync(state)) return
  const draft = `${state}.copy.new`
  copyFileSync(state, draft)
  if (lastByte(draft) === '}') renameSync(draft, `${state}.copy`)
}

function lastByte(file: string): string {
  const descriptor = openSync(file, 'r')
  try {
    const byte = Buffer.alloc(1)
    const { size } = fstatSync(descriptor)
    if (size > 0) readSync(descriptor, byte, 0, 1, size - 1)
    return byte.toString()
  } finally {
    closeSync(descriptor)
  }
}
