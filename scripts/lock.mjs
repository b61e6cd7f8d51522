import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

// Plain JavaScript: the installer runs on whatever Node the machine has, before ours is there.

/**
 * Takes the lock on `file`, or answers undefined when another process has it.
 *
 * The kernel holds the lock for as long as the file stays open here, so that a process that dies
 * in any way lets go of it: there are no stale locks, and no race in mending them. Node cannot
 * call flock(2) itself; util-linux's `flock`, handed our open file, locks it for us.
 */
export function tryLock(file) {
  const descriptor = openSync(file, 'a', 0o600)
  const { status, error } = spawnSync('flock', ['--nonblock', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', descriptor],
  })
  if (status === 0) return { release: () => closeSync(descriptor) }
  closeSync(descriptor)
  if (error || status !== 1)
    throw new Error('Cannot lock: the command flock (Debian package util-linux) is missing.')
  return undefined
}
