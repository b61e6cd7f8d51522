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

const checkout = join(import.meta.dirname, '..', '..')
/** What an attack imports, directly or not. */
const rooms = [
  ...['core', 'threshold', 'authority', 'policy', 'effects', 'judge', 'wire', 'signer', 'e2e'],
  ...['scripts', 'devnet'],
]

/**
 * `npm run attacks:mutants -- [part of a name]`: takes away one check after the other, in a copy,
 * and sees whether its attack notices. Four minutes on two cores; two seconds for each.
 */
export function main(): number {
  const parts = process.argv.slice(2)
  const all = distinct(attacks).filter(({ name }) => parts.every((part) => name.includes(part)))
  const chosen = all.filter(isRefusal)
  const copy = mkdtempSync(join(tmpdir(), 'quorate-mutants-'))
  try {
    copyCheckout(copy)
    const unnoticed = chosen.filter((one) => {
      const told = without(one, copy)
      console.log(`${told === '' ? 'UNNOTICED' : 'noticed  '} ${one.name}: ${told}`)
      return told === ''
    })
    const rest = all.length - chosen.length
    console.log(`${chosen.length - unnoticed.length} of ${chosen.length} noticed`)
    console.log(`${rest} checks are no refusal in words, and were not taken away.`)
    return unnoticed.length === 0 ? 0 : 1
  } finally {
    rmSync(copy, { recursive: true })
  }
}

const refusalOf = ({ check }: Attack) => `refuse('${check.code}')`

function isRefusal(one: Attack): boolean {
  return readFileSync(join(checkout, one.check.file), 'utf8').includes(refusalOf(one))
}

/** @returns what the attack says with its check gone; empty when it notices nothing */
function without(one: Attack, copy: string): string {
  const path = join(copy, one.check.file)
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, text.replace(refusalOf(one), '(undefined as never)'))
  // The suite finds a check by its words, which are gone: it stands in a comment now.
  writeFileSync(path, `${readFileSync(path, 'utf8')}\n// ${one.check.code}\n`)
  const { status, stdout, stderr } = spawnSync(process.execPath, ['run.mjs', one.name], {
    cwd: copy,
    encoding: 'utf8',
  })
  writeFileSync(path, text)
  if (status === 0) return ''
  const [, wrong] = /NOT STOPPED: (.*)/.exec(stdout) ?? []
  const [, thrown] = /^(\w*Error: .*)$/m.exec(stderr) ?? []
  return wrong ?? thrown ?? `exit code ${status}`
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
  const run = "import { main } from './e2e/attacks/main.ts'\nprocess.exitCode = await main()\n"
  writeFileSync(join(copy, 'run.mjs'), run)
}

const isInstalled = (path: string) => path.endsWith('/node_modules')
