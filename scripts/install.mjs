import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { constants, accessSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tryLock } from './lock.mjs'

// Plain JavaScript that an old Node can read: this file is what brings the right Node here.

const checkout = dirname(dirname(fileURLToPath(import.meta.url)))
const nodeMajorMin = 24
/** A cold install on a slow line takes minutes; after this, whoever holds the lock hangs. */
const installWaitMs = 15 * 60_000

/**
 * Installs what the lock file names, then runs the `main` that `entry` (a TypeScript file beside
 * this one) exports, on a Node that can read it. Its argument is aborted when we are asked to stop.
 */
export async function run(entry) {
  const stopping = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => stopping.abort())
  try {
    await install(checkout, (root) => npmCi(root, stopping.signal))
    if (stopping.signal.aborted) process.exit(0)
    process.exit(await runEntry(entry, stopping.signal))
  } catch (error) {
    if (stopping.signal.aborted) process.exit(0)
    console.error(error.message)
    process.exit(1)
  }
}

async function runEntry(entry, stopSignal) {
  const running = Number(process.versions.node.split('.')[0])
  if (running < nodeMajorMin) return runWithNewerNode(stopSignal)
  const { main } = await import(new URL(entry, import.meta.url).href)
  return main(stopSignal)
}

/** Makes node_modules what package-lock.json says. Many may call this at once: one of them works. */
export async function install(root, runNpm) {
  const deadline = Date.now() + installWaitMs
  let waits = 0
  while (!isInstalled(root)) {
    const lock = tryLock(join(root, '.install.lock'))
    if (lock) {
      try {
        if (!isInstalled(root)) await installLocked(root, runNpm)
      } finally {
        lock.release()
      }
    } else if (Date.now() > deadline) {
      throw new Error(`Another process has been installing into ${root} for too long.`)
    } else {
      if (waits++ === 0) console.error('Waiting for another start to install the packages ...')
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

async function installLocked(root, runNpm) {
  const hash = lockHash(root)
  console.error('Installing the packages that package-lock.json names (once per version) ...')
  await runNpm(root)
  writeFileSync(`${stampOf(root)}.new`, hash)
  renameSync(`${stampOf(root)}.new`, stampOf(root))
}

async function npmCi(root, stopSignal) {
  const borrowed = cacheFolder()
  const npm = process.env['npm_execpath'] ?? ''
  const command = npm.endsWith('npm-cli.js') ? [process.execPath, npm] : ['npm']
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--no-update-notifier']
  const cache = borrowed === undefined ? [] : ['--cache', borrowed]
  try {
    const code = await runTied(
      [...command, 'ci', '--ignore-scripts', ...quiet, ...cache],
      { cwd: root, stdio: ['ignore', 2, 2] },
      stopSignal,
    )
    if (code !== 0) throw new Error(`npm ci failed (exit code ${code}): see above.`)
  } finally {
    if (borrowed !== undefined) rmSync(borrowed, { recursive: true, force: true })
  }
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

/** Runs this very command again, on the Node that npm brought. */
function runWithNewerNode(stopSignal) {
  const binary = join(checkout, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')
  if (!existsSync(binary))
    throw new Error(
      `Quorate needs Node ${nodeMajorMin} or newer, and npm has none for ${process.platform} on ${process.arch}: install it and start again.`,
    )
  return runTied([binary, ...process.argv.slice(1)], { stdio: 'inherit' }, stopSignal)
}

/** Ends with the exit code of a command that is stopped when we are, and does not outlive us. */
function runTied(command, options, stopSignal) {
  const canTie = spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true']).status === 0
  const [first, ...args] = canTie ? ['setpriv', '--pdeathsig', 'TERM', ...command] : command
  return new Promise((resolve, reject) => {
    const child = spawn(first, args, options)
    const stop = () => child.kill('SIGTERM')
    stopSignal.addEventListener('abort', stop)
    if (stopSignal.aborted) stop()
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? 1))
  })
}
