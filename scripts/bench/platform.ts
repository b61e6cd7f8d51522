import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DfnsApiClient } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import { bootstrap, type BootstrapFile } from '@quorate/cli/bootstrap'
import { stopChildren } from '@quorate/devnet/child'
import { freePort } from '@quorate/devnet/free-port'
import { startPlatform } from '../platform.ts'
import { type Group, withChildren } from './processor.ts'

/** A platform as `npm start` runs it, in a temporary folder that goes away with it. */
export type BenchPlatform = {
  readonly file: BootstrapFile & {
    readonly devnet: { readonly EthereumSepolia: { readonly rpcUrl: string } }
  }
  readonly signer: AsymmetricKeySigner
  readonly sdk: DfnsApiClient
  /** Server, signers and PostgreSQL: whose processor time is worth knowing. */
  readonly processes: readonly Group[]
  /** In the order of their numbers. */
  readonly signerPids: readonly number[]
  readonly databaseUrl: string
  readonly postgresLog: string
  stop(): Promise<void>
}

export async function startBenchPlatform(
  stopSignal: AbortSignal,
  profileDir?: string,
  keyPool = 0,
): Promise<BenchPlatform> {
  const dataDir = mkdtempSync(join(tmpdir(), 'quorate-bench-'))
  // PostgreSQL may have to run as another user, who passes through here.
  chmodSync(dataDir, 0o711)
  const remove = () => rmSync(dataDir, { recursive: true, force: true })
  try {
    const port = await freePort()
    const noFiles = { serverFactsFile: '', signerFactsFile: '', networksFile: '', nodesFile: '' }
    const none = { postgresBin: '', passedOn: {}, ...noFiles }
    const settings = { ...none, port, dataDir, say: () => undefined, stopSignal }
    const platform = await startPlatform({ ...settings, profileDir, keyPool, bootstrap })
    stopSignal.addEventListener('abort', () => void platform.stop())
    return { ...usersOf(dataDir), stop: () => platform.stop().then(remove) }
  } catch (error) {
    await stopChildren()
    remove()
    throw error
  }
}

function usersOf(dataDir: string): Omit<BenchPlatform, 'stop'> {
  const text = (...path: string[]) => readFileSync(join(dataDir, ...path), 'utf8')
  const file = JSON.parse(text('bootstrap.json'))
  const { baseUrl, orgId, serviceAccount, processes } = file
  const { authToken, credId, privateKey } = serviceAccount
  const signer = new AsymmetricKeySigner({ credId, privateKey })
  const signers: readonly number[] = processes.signers.map(({ pid }: { pid: number }) => pid)
  const socketDir = encodeURIComponent(text('socket-folder'))
  const postmaster = Number(text('postgres', 'cluster', 'postmaster.pid').split('\n')[0])
  return {
    file,
    signer,
    sdk: new DfnsApiClient({ baseUrl, orgId, authToken, signer }),
    signerPids: signers,
    processes: [
      { name: 'server', pids: () => [processes.server] },
      { name: `all ${signers.length} signers`, pids: () => signers },
      { name: 'PostgreSQL', pids: () => withChildren(postmaster) },
    ],
    databaseUrl: `postgresql://quorate:${text('postgres', 'password')}@${socketDir}/quorate`,
    postgresLog: join(dataDir, 'logs', 'postgres.log'),
  }
}
