import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A check, and what is left of the program when it is taken away. */
export type Mutant = {
  readonly file: string
  readonly from: string
  readonly to: string
  readonly tests: readonly string[]
}

/** Takes one check away, in a copy, and sees whether a test fails that is not a known answer. */
function isNoticed({ file, from, to, tests }: Mutant, folder: string): boolean {
  const path = join(folder, file)
  const text = readFileSync(path, 'utf8')
  const flat = (code: string): RegExp =>
    new RegExp(code.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/ /g, '\\s+'))
  if (!flat(from).test(text)) throw new Error(`${file} has no longer: ${from}`)
  writeFileSync(
    path,
    text.replace(flat(from), () => to),
  )
  const { status, stdout } = tried(tests, folder)
  writeFileSync(path, text)
  if (/SyntaxError|ReferenceError/.test(stdout)) throw new Error(`${file} does not run: ${to}`)
  return status !== 0
}

function tried(tests: readonly string[], folder: string) {
  const options = ['--test', '--test-skip-pattern=known answer', ...tests]
  return spawnSync(process.execPath, options, { cwd: folder, encoding: 'utf8' })
}

/** A test that fails anyway would notice everything. */
function checkTests(mutants: readonly Mutant[], folder: string): void {
  const lists = new Map(mutants.map(({ tests }) => [tests.join(' '), tests]))
  for (const [name, tests] of lists) {
    const { status, stdout } = tried(tests, folder)
    const isRun = status === 0 && !/^ℹ pass 0$/m.test(stdout)
    if (!isRun) throw new Error(`with nothing taken away, there fails or is not: ${name}`)
  }
}

/**
 * Takes each check away in turn and says whether a test noticed.
 * @param folder of this room: files and tests are named from there
 */
export function runMutants(folder: string, mutants: readonly Mutant[]): void {
  const room = join(import.meta.dirname, '..')
  const copy = mkdtempSync(join(tmpdir(), 'quorate-mutants-'))
  try {
    cpSync(room, join(copy, 'threshold'), { recursive: true })
    symlinkSync(join(room, '..', 'node_modules'), join(copy, 'node_modules'))
    cpSync(join(room, '..', 'vectors'), join(copy, 'vectors'), { recursive: true })
    const place = join(copy, 'threshold', folder)
    checkTests(mutants, place)
    const unnoticed = mutants.filter((mutant) => {
      const noticed = isNoticed(mutant, place)
      console.log(`${noticed ? 'noticed  ' : 'UNNOTICED'} ${mutant.file}: ${mutant.from}`)
      return !noticed
    })
    console.log(`${mutants.length - unnoticed.length} of ${mutants.length} noticed`)
    if (unnoticed.length > 0) process.exitCode = 1
  } finally {
    rmSync(copy, { recursive: true })
  }
}
