import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const checkout = dirname(dirname(fileURLToPath(import.meta.url)))

const checks = [
  { name: 'types', tool: ['typescript', 'bin', 'tsc'], args: ['--noEmit'] },
  {
    name: 'types of pages',
    tool: ['typescript', 'bin', 'tsc'],
    args: ['--project', 'server/pages/static'],
  },
  { name: 'lint', tool: ['oxlint', 'bin', 'oxlint'], args: ['--deny-warnings'] },
  { name: 'format', tool: ['oxfmt', 'bin', 'oxfmt'], args: ['--check'] },
] as const

/** `npm run check`: all of them, whichever fails first, so that one run shows every mistake. */
export async function main(): Promise<number> {
  const failed = checks.filter(({ name, tool, args }) => {
    const program = join(checkout, 'node_modules', ...tool)
    const { status, error } = spawnSync(process.execPath, [program, ...args], {
      cwd: checkout,
      stdio: 'inherit',
    })
    console.log(`${name}: ${status === 0 ? 'good' : (error?.message ?? 'NOT good')}`)
    return status !== 0
  })
  return failed.length === 0 ? 0 : 1
}
