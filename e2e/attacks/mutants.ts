import { execFile } from 'node:child_process'
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
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { attacks } from './all.ts'
import { distinct, type Attack, type End } from './attack.ts'
import { exitCodes } from './main.ts'
import { settings } from '../settings.ts'
import { mutated, mutationOf } from './mutation.ts'

const checkout = join(import.meta.dirname, '..', '..')
/** What an attack imports, directly or not. */
const rooms = [
  ...['core', 'threshold', 'authority', 'policy', 'effects', 'judge', 'wire', 'signer', 'e2e'],
  ...['scripts', 'devnet', 'client', 'api'],
]

/**
 * `npm run attacks:mutants -- [part of a name]`: takes away one check after the other, in a copy,
 * and sees whether its attack gets through then: some seconds for each, as many side by side as there
 * are cores. Ends with 0 if none ends as before: what another check refuses, and what fails by an
 * error, has noticed that its check is gone, and shows no more than that.
 */
export async function main(): Promise<number> {
  const parts = process.argv.slice(2)
  const chosen = distinct(attacks).filter(({ name }) => parts.every((part) => name.includes(part)))
  const folder = mkdtempSync(join(tmpdir(), 'quorate-mutants-'))
  try {
    const copies = Array.from({ length: availableParallelism() }, (_, i) => join(folder, String(i)))
    for (const copy of copies) copyCheckout(copy)
    await checkAttacks(folder)
    return await told(chosen, copies)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Attacks that succeed anyway would notice everything. */
async function checkAttacks(folder: string): Promise<void> {
  const { code, stdout, stderr } = await run(join(folder, '0'), 'all.mjs', process.argv.slice(2))
  if (code !== 0) throw new Error(`with nothing taken away:\n${stdout}${stderr}`)
}

async function told(chosen: readonly Attack[], copies: readonly string[]): Promise<number> {
  const count = { through: 0, elsewhere: 0, stopped: 0, broken: 0 }
  const waiting = chosen.filter(({ check }) => check.backedBy === undefined)
  const work = async (copy: string): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      const { kind, told } = await without(one, copy)
      count[kind]++
      console.log(`${words[kind]} ${one.name}: ${told}`)
    }
  }
  await Promise.all(copies.map(work))
  for (const { name, check } of chosen)
    if (check.backedBy !== undefined) console.log(`left      ${name}: ${check.backedBy}`)
  const { through, elsewhere, stopped, broken } = count
  const tried = through + elsewhere + stopped + broken
  console.log(`${through} of ${tried} get through without their check.`)
  console.log(`${elsewhere} are refused by another check, ${stopped} notice nothing.`)
  console.log(`${broken} fail by an error, mostly of rules that need what the check has let pass.`)
  const left = chosen.length - tried
  console.log(`${left} checks stand before another one, and were not taken away.`)
  return stopped === 0 ? 0 : 1
}
const words: Readonly<Record<Ended['kind'], string>> = {
  ...{ through: 'through  ', elsewhere: 'elsewhere', stopped: 'UNNOTICED', broken: 'BROKEN   ' },
}

/** With its check gone. */
type Ended = { readonly kind: End['kind'] | 'broken'; readonly told: string }

async function without({ name, check }: Attack, copy: string): Promise<Ended> {
  const path = join(copy, check.file)
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, mutated(text, mutationOf(check, checkout) ?? []))
  const ran = await run(copy, 'one.mjs', [name])
  writeFileSync(path, text)
  return endedOf(ran)
}

/** Whatever ends in no way that an attack has, has got nothing and has met no other check. */
export function endedOf({ code, stdout, stderr }: Ran): Ended {
  const kind = (['stopped', 'through', 'elsewhere'] as const).find((one) => exitCodes[one] === code)
  if (kind !== undefined) return { kind, told: stdout.trim() }
  const [, thrown] = /^(\w*Error: .*)$/m.exec(stderr) ?? []
  return { kind: 'broken', told: thrown ?? `exit code ${code}` }
}

type Ran = { readonly code: number | string; readonly stdout: string; readonly stderr: string }

/** What one copy has had compiled it need not compile again: nearly all of it, each time. */
function run(copy: string, script: string, args: readonly string[]): Promise<Ran> {
  const env = { ...settings.machine, NODE_COMPILE_CACHE: join(copy, 'compiled') }
  const options = { cwd: copy, env, maxBuffer: outputBytesMax }
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], options, (error, stdout, stderr) =>
      resolve({
        code: error === null ? 0 : (error.code ?? error.signal ?? 'none'),
        stdout,
        stderr,
      }),
    )
  })
}
/** Far more than all attacks together say. */
const outputBytesMax = 2 ** 24

function copyCheckout(copy: string): void {
  mkdirSync(copy)
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
  const script = (what: string) =>
    `import { ${what} } from './e2e/attacks/main.ts'\nprocess.exitCode = await ${what}()\n`
  writeFileSync(join(copy, 'one.mjs'), script('one'))
  writeFileSync(join(copy, 'all.mjs'), script('main'))
}

const isInstalled = (path: string) => path.endsWith('/node_modules')
