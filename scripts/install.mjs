import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { constants, accessSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { tryLock } from './lock.mjs'

// Plain JavaScript that an old Node can read: this file is what brings the right Node here.

const checkout = dirname(dirname(fileURLToPath(import.meta.url)))
const nodeMajorMin = 24
/** A cold install on a slow line takes minutes; after this, whoever holds the lock hangs. */
const installWaitMs = 15 * 60_000

/** Installs what the lock file names, then runs `entry` (a TypeScript file beside this one). */
export async function run(entry) {
  try {
    await install(checkout)
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
  const file = join(dirname(fileURLToPath(import.meta.url)), entry)
  const running = Number(process.versions.node.split('.')[0])
  if (running >= nodeMajorMin) await import(pathToFileURL(file).href)
  else await runWith(nodeBinary(), file)
}

/** Makes node_modules what package-lock.json says. Many may call this at once: one of them works. */
export async function install(root, runNpm = npmCi) {
  const deadline = Date.now() + installWaitMs
  while (!isInstalled(root)) {
    const lock = tryLock(join(root, '.install.lock'))
    if (lock) {
      try {
        if (!isInstalled(root)) installLocked(root, runNpm)
      } finally {
        lock.release()
      }
    } else if (Date.now() > deadline) {
      throw new Error(`Another process has been installing into ${root} for too long.`)
    } else {
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}

const stampOf = (root) => join(root, 'node_modules', '.install-stamp')
const lockHash = (root) =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')

export function isInstalled(root) {
  const stamp = stampOf(root)
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === lockHash(root)
}

function installLocked(root, runNpm) {
  const hash = lockHash(root)
  console.error('Installing the packages that package-lock.json names (once per version) ...')
  runNpm(root)
  writeFileSync(`${stampOf(root)}.new`, hash)
  renameSync(`${stampOf(root)}.new`, stampOf(root))
}

function npmCi(root) {
  const borrowed = cacheFolder()
  const npm = process.env['npm_execpath'] ?? ''
  const [command, before] = npm.endsWith('npm-cli.js') ? [process.execPath, [npm]] : ['npm', []]
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--no-update-notifier']
  const cache = borrowed === undefined ? [] : ['--cache', borrowed]
  const { status, error } = spawnSync(
    command,
    [...before, 'ci', '--ignore-scripts', ...quiet, ...cache],
    { cwd: root, stdio: ['ignore', 2, 2] },
  )
  if (borrowed !== undefined) rmSync(borrowed, { recursive: true, force: true })
  if (status !== 0)
    throw new Error(`npm ci failed (${error?.message ?? `exit code ${status}`}): see above.`)
}

/** A folder of our own when npm's usual cache cannot be written, as for a user without a home. */
function cacheFolder() {
  const usual = process.env['npm_config_cache'] ?? join(process.env['HOME'] ?? '/', '.npm')
  try {
    mkdirSync(usual, { recursive: true })
    accessSync(usual, constants.W_OK)
    return undefined
  } catch (error) {
    if (!['EACCES', 'EROFS', 'EPERM', 'ENOTDIR', 'ENOENT'].includes(error.code)) throw error
    return mkdtempSync(join(tmpdir(), 'quorate-npm-'))
  }
}

function nodeBinary() {
  const binary = join(checkout, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')
  if (existsSync(binary)) return binary
  console.error(
    `Quorate needs Node ${nodeMajorMin} or newer, and npm has none for ${process.platform} on ${process.arch}: install it and start again.`,
  )
  process.exit(1)
}

/** Stands in for the newer Node: passes signals on, ends as it ends, and takes it along if killed. */
async function runWith(binary, file) {
  const follow = spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true']).status === 0
  const [command, before] = follow ? ['setpriv', ['--pdeathsig', 'TERM', binary]] : [binary, []]
  const child = spawn(command, [...before, file, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (status) => resolve(status ?? 1))
  })
  process.exit(code)
}
