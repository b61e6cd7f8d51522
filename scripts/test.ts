import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startChild, stopChildren } from '@quorate/devnet/child'
import { testClusterVariable, testSettings } from './settings.ts'
import { startTestCluster } from './test-database.ts'

const checkout = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * Test files start real processes and do real cryptography, and wait for blocks and leases: two leave a
 * quarter of two cores idle. Many more at once only slow each.
 */
const filesAtOnce = 3
/** The slowest file takes half of it beside others; one that hangs must not hold the run for ever. */
const testMsMax = 600_000

/** `npm test`: every test of every room, on one PostgreSQL. `npm test -- <pattern>` takes some. */
export async function main(stopSignal: AbortSignal): Promise<number> {
  const files = testFiles(process.argv.slice(2))
  if (files.length === 0) throw new Error('No test file matches.')
  const { passOn, postgresBin } = testSettings(process.env)
  const stop = () => void stopChildren()
  stopSignal.addEventListener('abort', stop)
  const cluster = await startTestCluster(postgresBin)
  // Three hundred processes load much the same sources: the first of them compiles for the others.
  const compiled = mkdtempSync(join(tmpdir(), 'quorate-compiled-'))
  try {
    const run = await startChild({
      command: process.execPath,
      args: [
        '--test',
        `--test-concurrency=${filesAtOnce}`,
        `--test-timeout=${testMsMax}`,
        ...files,
      ],
      cwd: checkout,
      env: { ...passOn, [testClusterVariable]: cluster.url, NODE_COMPILE_CACHE: compiled },
      onOutput: (chunk) => process.stdout.write(chunk),
    })
    return (await run.exited) === 'exit code 0' ? 0 : 1
  } finally {
    await cluster.stop()
    rmSync(compiled, { recursive: true, force: true })
  }
}

/** Of the workspaces that the root's package.json names, and of no others. */
function testFiles(patterns: readonly string[]): string[] {
  const { workspaces }: { workspaces: readonly string[] } = JSON.parse(
    readFileSync(join(checkout, 'package.json'), 'utf8'),
  )
  const all = workspaces
    .filter((room) => existsSync(join(checkout, room)))
    .flatMap((room) => globSync(`${room}/**/*.test.ts`, { cwd: checkout, exclude: isInstalled }))
    .toSorted()
  if (patterns.length === 0) return all
  return all.filter((file) => patterns.some((pattern) => file.includes(pattern)))
}

const isInstalled = (path: string) => path.includes('node_modules')
