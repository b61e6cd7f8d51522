import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attacks } from './all.ts'
import { distinct, type Attack } from './attack.ts'
import { mutated, mutationOf } from './mutation.ts'

const checkout = join(import.meta.dirname, '..', '..')
/** What an attack imports, directly or not. */
const rooms = [
  ...['core', 'threshold', 'authority', 'policy', 'effects', 'judge', 'wire', 'signer', 'e2e'],
  ...['scripts', 'devnet', 'client', 'api'],
]

/**
 * `npm run attacks:mutants -- [part of a name]`: takes away one check after the other, in a copy,
 * and sees whether its attack notices: two seconds for each.
 */
export function main(): number {
  const parts = process.argv.slice(2)
  const chosen = distinct(attacks).filter(({ name }) => parts.every((part) => name.includes(part)))
  const copy = mkdtempSync(join(tmpdir(), 'quorate-mutants-'))
  try {
    copyCheckout(copy)
    checkAttacks(copy)
    return told(chosen, copy)
  } finally {
    rmSync(copy, { recursive: true })
  }
}

/** Attacks that succeed anyway would notice everything. */
function checkAttacks(copy: string): void {
  const args = ['all.mjs', ...process.argv.slice(2)]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: copy,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`with nothing taken away:\n${stdout}${stderr}`)
}

function told(chosen: readonly Attack[], copy: string): number {
  const count = { noticed: 0, unnoticed: 0 }
  for (const one of chosen) {
    if (one.check.backedBy !== undefined) continue
    const said = without(one, copy)
    count[said === '' ? 'unnoticed' : 'noticed']++
    console.log(`${said === '' ? 'UNNOTICED' : 'noticed  '} ${one.name}: ${said}`)
  }
  for (const { name, check } of chosen)
    if (check.backedBy !== undefined) console.log(`left      ${name}: ${check.backedBy}`)
  console.log(`${count.noticed} of ${count.noticed + count.unnoticed} noticed`)
  const left = chosen.length - count.noticed - count.unnoticed
  console.log(`${left} checks stand before another one, and were not taken away.`)
  return count.unnoticed === 0 ? 0 : 1
}

/** @returns what the attack says with its check gone; empty when it notices nothing */
function without({ name, check }: Attack, copy: string): string {
  const path = join(copy, check.file)
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, mutated(text, mutationOf(check, checkout) ?? []))
  const ran = spawnSync(process.execPath, ['one.mjs', name], { cwd: copy, encoding: 'utf8' })
  writeFileSync(path, text)
  if (ran.status === 0) return ''
  const [, thrown] = /^(\w*Error: .*)$/m.exec(ran.stderr) ?? []
  return ran.stdout.trim() || (thrown ?? `exit code ${ran.status}`)
}

function copyCheckout(copy: string): void {
  for (const room of rooms) {
    const from = join(checkout, room)
    cpSync(from, join(copy, room), { recursive: true, filter: (path) => !isInstalled(path) })
    const own = join(from, 'node_modules')
    if (existsSync(own)) symlinkSync(own, join(copy, room, 'node_modules'))
  }
  const modules = join(copy, 'node_modules')
  mkdirSync(join(modules, '@quorate'), { recursive: true })
  for (const name of readdirSync(join(checkout, 'node_modules')))
    if (name !== '@quorate') symlinkSync(join(checkout, 'node_modules', name), join(modules, name))
  for (const room of rooms) symlinkSync(join(copy, room), join(modules, '@quorate', room))
  const run = (what: string) =>
    `import { ${what} } from './e2e/attacks/main.ts'\nprocess.exitCode = await ${what}()\n`
  writeFileSync(join(copy, 'one.mjs'), run('one'))
  writeFileSync(join(copy, 'all.mjs'), run('main'))
}

const isInstalled = (path: string) => path.endsWith('/node_modules')
