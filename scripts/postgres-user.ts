import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Installation, completeLinks, copyInstallation } from './postgres-binaries.ts'

/**
 * PostgreSQL refuses to run as root. This is how it runs instead: as whom, from which copy of the
 * binaries, and through which command.
 */
export type PostgresUser = {
  readonly root: string
  /** Set when `root` is a copy made for this run, which the caller removes at the end. */
  readonly copied: boolean
  /** Owner of the data when it is not us. */
  readonly uid?: number
  /** Goes in front of the command line. */
  readonly prefix: readonly string[]
}

/** `nobody` everywhere on Linux; no account has to be made for it. */
const nobody = 65534

/** What this user may do here; each is tried out, since permissions, mounts and containers differ. */
export type Powers = {
  readonly isRoot: boolean
  readonly canRunAsNobody: (root: string) => boolean
  readonly canWriteAsNobody: (dir: string) => boolean
  readonly canRunInNamespace: (root: string) => boolean
}

/** @throws Error with one sentence that names the setting to change, when there is no way. */
export function choosePostgresUser(
  { root, embedded }: Installation,
  dataDir: string,
  powers: Powers = realPowers,
): PostgresUser {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const complete = !embedded || completeLinks(root)
  if (!powers.isRoot) {
    if (complete) return { root, copied: false, prefix: [] }
    return { root: copyInstallation(root), copied: true, prefix: [] }
  }
  giveTo(nobody, dataDir)
  if (powers.canWriteAsNobody(dataDir)) {
    if (complete && powers.canRunAsNobody(root))
      return { root, copied: false, uid: nobody, prefix: [] }
    return { root: copyInstallation(root), copied: true, uid: nobody, prefix: [] }
  }
  giveTo(0, dataDir)
  if (complete && powers.canRunInNamespace(root))
    return { root, copied: false, prefix: namespacePrefix }
  throw new Error(
    `PostgreSQL does not run as root and no other user can reach ${dataDir}: set QUORATE_DATA to a folder outside private homes, or start as an ordinary user.`,
  )
}

/** Inside, root is somebody else; outside, the files stay root's. */
const namespacePrefix = [
  'unshare',
  '--user',
  `--map-user=${nobody}`,
  `--map-group=${nobody}`,
] as const

const realPowers: Powers = {
  isRoot: process.getuid?.() === 0,
  canRunAsNobody: (root) => succeeds([join(root, 'bin', 'postgres'), '--version'], nobody),
  canWriteAsNobody: (dir) => succeeds(['test', '-w', dir, '-a', '-x', dir], nobody),
  canRunInNamespace: (root) =>
    succeeds([...namespacePrefix, join(root, 'bin', 'postgres'), '--version']),
}

function succeeds([command = '', ...args]: readonly string[], uid?: number): boolean {
  const as = uid === undefined ? {} : { uid, gid: uid }
  return spawnSync(command, args, { cwd: '/', stdio: 'ignore', ...as }).status === 0
}

/** Data made under another way of running changes hands, so that either way can go on with it. */
function giveTo(uid: number, dir: string): void {
  if (!existsSync(dir) || lstatSync(dir).uid === uid) return
  chownTree(uid, dir)
  chmodSync(dir, 0o700)
}

function chownTree(uid: number, path: string): void {
  if (lstatSync(path).isSymbolicLink()) return
  if (lstatSync(path).isDirectory())
    for (const name of readdirSync(path)) chownTree(uid, join(path, name))
  chownSync(path, uid, uid)
}
