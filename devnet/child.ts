import { spawn, spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

export type Child = {
  readonly pid: number
  /** Says how it ended, such as `exit code 1`. Never rejects. */
  readonly exited: Promise<string>
  /** Asks, then insists. Safe to call twice, and after it has ended. */
  stop(): Promise<void>
}

export type ChildSpec = {
  readonly command: string
  readonly args: readonly string[]
  /** A command that becomes `command`, such as `unshare` with its options. */
  readonly prefix?: readonly string[]
  /** Its whole environment: nothing of ours is inherited. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly uid?: number
  readonly gid?: number
  readonly onOutput: (chunk: Buffer) => void
  /** Sent one after the other, each with its time to work. SIGKILL always follows the last. */
  readonly stopSteps?: readonly StopStep[]
}

type StopStep = { readonly signal: NodeJS.Signals; readonly waitMs: number }

/** Long enough to finish a signing round and close a store, short enough for a person who waits. */
const usualStop: readonly StopStep[] = [{ signal: 'SIGTERM', waitMs: 8_000 }]

/**
 * Starts a process that does not outlive this one, even if this one is killed outright. It leads
 * a session of its own, so that a Ctrl-C meant for us does not reach it out of order.
 */
export async function startChild(spec: ChildSpec): Promise<Child> {
  const steps = spec.stopSteps ?? usualStop
  const tied = tieToParent(spec, steps[0]?.signal ?? 'SIGTERM')
  const child = spawn(tied.command, tied.args, {
    cwd: spec.cwd ?? '/',
    env: spec.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(spec.uid === undefined ? {} : { uid: spec.uid }),
    ...(spec.gid === undefined ? {} : { gid: spec.gid }),
  })
  child.stdout.on('data', spec.onOutput)
  child.stderr.on('data', spec.onOutput)
  const spawned = new Promise<void>((resolve, reject) =>
    child.once('spawn', resolve).once('error', reject),
  )
  const { pid } = child
  if (pid === undefined) {
    await spawned
    throw new Error(`${spec.command} has no process id`)
  }
  let alive = true
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      alive = false
      resolve(signal === null ? `exit code ${code}` : `signal ${signal}`)
    })
  })
  const stop = () => stopInSteps({ pid, exited, steps, isAlive: () => alive })
  const started = { pid, exited, stop }
  living.add(started)
  void exited.then(() => living.delete(started))
  await spawned
  return started
}

const living = new Set<Child>()

/** For the end of a process: also reaches children that somebody is still waiting to see ready. */
export async function stopChildren(): Promise<void> {
  await Promise.all([...living].map((child) => child.stop()))
}

type Stopping = {
  readonly pid: number
  readonly exited: Promise<string>
  readonly steps: readonly StopStep[]
  readonly isAlive: () => boolean
}

async function stopInSteps({ pid, exited, steps, isAlive }: Stopping): Promise<void> {
  for (const { signal, waitMs } of steps) {
    if (!isAlive()) return
    process.kill(pid, signal)
    await within(waitMs, exited)
  }
  if (!isAlive()) return
  // The whole group, since a process that hangs may have children that do too.
  process.kill(-pid, 'SIGKILL')
  await exited
}

/** Waits for `promise` at most this long; true when it was settled in time. */
export async function within(waitMs: number, promise: Promise<unknown>): Promise<boolean> {
  const abort = new AbortController()
  const late = sleep(waitMs, false, { signal: abort.signal }).catch((error: unknown) => {
    if (abort.signal.aborted) return false
    throw error
  })
  const inTime = await Promise.race([promise.then(() => true), late])
  abort.abort()
  return inTime
}

/**
 * `setpriv` (util-linux) keeps its process id when it becomes the command. It comes last, as the
 * kernel forgets the tie when a process changes who it is.
 */
function tieToParent({ prefix = [], command, args }: ChildSpec, signal: NodeJS.Signals) {
  const tie = canTie() ? ['setpriv', '--pdeathsig', signal.slice(3)] : []
  const [first = command, ...rest] = [...prefix, ...tie, command, ...args]
  return { command: first, args: rest }
}

let tieable: boolean | undefined
function canTie(): boolean {
  tieable ??= spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true']).status === 0
  return tieable
}

/** Where Debian keeps its programs; what a child needs of ours to find `setpriv` and the like. */
export const plainPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
