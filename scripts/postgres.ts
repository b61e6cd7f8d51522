import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type Child, plainPath, startChild } from '@quorate/devnet/child'
import { hasCode } from '@quorate/devnet/error-code'
import { findPostgres } from './postgres-binaries.ts'
import { choosePostgresUser, type PostgresUser } from './postgres-user.ts'
import { writePrivateFile } from './write-file.ts'

export type PostgresOptions = {
  /** Created on first use. One process at a time may start this folder: the caller sees to that. */
  readonly dataDir: string
  /** Folder with a system's `postgres` and `initdb`; without it, the one from npm. */
  readonly binDir?: string | undefined
  /** Where the socket goes; keeps the address the same when the server is started again. */
  readonly socketDir?: string
  /** Server settings on top of ours, such as `{ fsync: 'off' }` for throw-away data. */
  readonly settings?: Readonly<Record<string, string>>
  readonly onOutput?: (chunk: Buffer) => void
}

export type RunningPostgres = Child & {
  /** Of the database `quorate`, for the user `quorate`, over a Unix socket. */
  readonly url: string
}

/** Crash recovery replays at most a few checkpoints of log; a slow disk gets this long for it. */
const readyWaitMs = 120_000

/** SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one, repaired at the next start. */
const stopSteps = [
  { signal: 'SIGINT', waitMs: 10_000 },
  { signal: 'SIGQUIT', waitMs: 3_000 },
] as const

/** Starts PostgreSQL on its data folder, which it makes on first use, and waits until it answers. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { dataDir, onOutput = () => undefined } = options
  const cluster = join(dataDir, 'cluster')
  const user = choosePostgresUser(findPostgres(options.binDir), dataDir)
  const socketDir = options.socketDir ?? makeSocketDir()
  if (user.uid !== undefined) chownSync(socketDir, user.uid, user.uid)
  const clean = () => {
    if (user.copied) rmSync(user.root, { recursive: true, force: true })
    if (options.socketDir === undefined) removeSocketDir(socketDir)
  }
  try {
    await stopLeftover(cluster)
    if (!existsSync(join(cluster, 'PG_VERSION'))) createCluster(user, dataDir, cluster)
    const settings = Object.entries({ ...usualSettings(socketDir), ...options.settings })
    const args = ['-D', cluster, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])]
    const child = await startChild({ ...asUser(user, 'postgres', args), onOutput, stopSteps })
    const url = urlOf(socketDir, readFileSync(join(dataDir, 'password'), 'utf8'))
    await untilReady(child, url)
    return { ...child, url, stop: () => child.stop().then(clean) }
  } catch (error) {
    clean()
    throw error
  }
}

/**
 * A private folder for a socket. Its address has at most 107 bytes (sun_path in unix(7)), so a
 * deep temporary folder will not do.
 */
export function makeSocketDir(): string {
  const base = tmpdir().length <= 60 ? tmpdir() : '/tmp'
  return mkdtempSync(join(base, socketDirPrefix))
}

/** Removes nothing but what `makeSocketDir` makes, whatever a file claims. */
export function removeSocketDir(socketDir: string): void {
  if (basename(socketDir).startsWith(socketDirPrefix))
    rmSync(socketDir, { recursive: true, force: true })
}

const socketDirPrefix = 'quorate-pg-'

const usualSettings = (socketDir: string) => ({
  listen_addresses: '',
  unix_socket_directories: socketDir,
  unix_socket_permissions: '0700',
  max_connections: '60',
  shared_buffers: '32MB',
  // Of a table that has not been counted yet, PostgreSQL believes any index to be as good as the right one.
  autovacuum_naptime: '5s',
  timezone: 'UTC',
  log_timezone: 'UTC',
})

function asUser({ root, uid, prefix }: PostgresUser, program: string, rest: readonly string[]) {
  const env = { PATH: plainPath, LC_ALL: 'C', TZ: 'UTC' }
  const as = uid === undefined ? {} : { uid, gid: uid }
  return { prefix, command: join(root, 'bin', program), args: rest, env, cwd: '/', ...as }
}

/** Made aside and then renamed, so that a start cut short leaves no half-made cluster behind. */
function createCluster(user: PostgresUser, dataDir: string, cluster: string): void {
  const draft = `${cluster}.new`
  rmSync(draft, { recursive: true, force: true })
  const passwordFile = join(dataDir, 'password')
  writePrivateFile(passwordFile, randomBytes(24).toString('hex'))
  if (user.uid !== undefined) chownSync(passwordFile, user.uid, user.uid)
  const { prefix, command, args, ...as } = asUser(user, 'initdb', [
    ...['-D', draft, '--locale=C', '--encoding=UTF8', '--username=quorate'],
    ...['--auth=scram-sha-256', `--pwfile=${passwordFile}`],
  ])
  const [first = '', ...rest] = [...prefix, command, ...args]
  const { status, stderr, error } = spawnSync(first, rest, { ...as, encoding: 'utf8' })
  if (status !== 0)
    throw new Error(`PostgreSQL could not create ${cluster}: ${stderr ?? ''}`, { cause: error })
  renameSync(draft, cluster)
}

async function untilReady(child: Child, url: string): Promise<void> {
  let ended: string | undefined
  void child.exited.then((how) => (ended = how))
  const deadline = Date.now() + readyWaitMs
  const maintenance = url.replace(/[^/]*$/, 'postgres')
  for (;;) {
    const problem = await tryCreateDatabase(maintenance)
    if (problem === undefined) return
    if (ended !== undefined) throw new Error(`PostgreSQL ended while starting (${ended}).`)
    if (Date.now() > deadline) {
      await child.stop()
      throw new Error('PostgreSQL did not become ready in time.', { cause: problem })
    }
    await sleep(50)
  }
}

/** Answers the error that says it is too early; throws every other. */
async function tryCreateDatabase(maintenance: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: maintenance })
  // A connection cut by the server reports here too, after the call that noticed it.
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rowCount } = await client.query("select 1 from pg_database where datname = 'quorate'")
    if (rowCount === 0) await client.query('create database quorate')
    return undefined
  } catch (error) {
    const startingUp = '57P03'
    if (hasCode(error, 'ENOENT', 'ECONNREFUSED', 'ECONNRESET', startingUp)) return error
    throw error
  } finally {
    await client.end()
  }
}

function urlOf(socketDir: string, password: string): string {
  return `postgresql://quorate:${password}@${encodeURIComponent(socketDir)}/quorate`
}

/**
 * A server whose starter was killed may still be stopping, or running where processes cannot be
 * tied to their parent. The folder is ours alone, so it is asked to end; a lock file whose process
 * is gone, or by now somebody else's, would keep PostgreSQL from starting and is removed.
 */
async function stopLeftover(cluster: string): Promise<void> {
  const lock = join(cluster, 'postmaster.pid')
  if (!existsSync(lock)) return
  const [firstLine = '', ...rest] = readFileSync(lock, 'utf8').split('\n')
  const pid = Number(firstLine)
  for (const { signal, waitMs } of [...stopSteps, { signal: 'SIGKILL', waitMs: 5_000 } as const]) {
    if (!isServing(pid, cluster)) break
    process.kill(pid, signal)
    await untilGone(pid, cluster, waitMs)
  }
  if (isServing(pid, cluster)) throw new Error(`PostgreSQL (process ${pid}) does not end.`)
  rmSync(lock, { force: true })
  removeSocketDir(rest[3] ?? '')
}

async function untilGone(pid: number, cluster: string, waitMs: number): Promise<void> {
  const deadline = Date.now() + waitMs
  while (isServing(pid, cluster) && Date.now() < deadline) await sleep(20)
}

/** By its command line, since the number alone may have passed on to another process. */
function isServing(pid: number, cluster: string): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(cluster)
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return false
    throw error
  }
}
