import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isForTests, mayImport, rooms } from './borders.ts'
import { importsOf, readsEnvironment } from './imports.ts'
import { readTokens } from './tokens.ts'

const checkout = fileURLToPath(new URL('..', import.meta.url))
const exclude = (path: string) => path.includes('node_modules')

for (const room of Object.keys(rooms)) {
  describe(room, () => {
    for (const file of globSync(`${room}/**/*.ts`, { cwd: checkout, exclude }).toSorted())
      it(`${file} stays within its borders`, () => {
        assert.deepEqual(mistakesIn(file, readFileSync(join(checkout, file), 'utf8')), [])
      })

    it('says in a README what it is for', () => {
      const readme = join(checkout, room, 'README.md')
      assert.ok(existsSync(readme), `${room}/README.md is missing`)
      assert.ok(readFileSync(readme, 'utf8').split('\n').length <= 60, 'longer than a screen')
    })
  })
}

describe('the rooms', () => {
  it('are the workspaces', () => {
    const { workspaces } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'))
    assert.deepEqual(workspaces.toSorted(), Object.keys(rooms).toSorted())
  })

  it('depend on what they import, in exact versions', () => {
    for (const room of Object.keys(rooms)) {
      const file = JSON.parse(readFileSync(join(checkout, room, 'package.json'), 'utf8'))
      for (const [name, version] of Object.entries(file.dependencies ?? {}))
        assert.match(String(version), /^\d+\.\d+\.\d+(-[\w.]+)?$/, `${room} depends on ${name}`)
    }
  })
})

function mistakesIn(file: string, text: string): string[] {
  const source = readTokens(text)
  const { names, hidden } = importsOf(source)
  return [
    ...names.filter((name) => !mayImport(file, name)).map((name) => `imports ${name}`),
    ...hidden.filter((how) => !mayResolve(file, how)).map((how) => `hides an import: ${how}`),
    ...(readsEnvironment(source) && !mayReadEnvironment(file) ? ['reads the environment'] : []),
    ...source.comments.filter(isForbiddenComment).map((comment) => `says ${comment}`),
    ...(skipsSuite(text) ? ['skips a suite'] : []),
  ]
}

/** Nobody counts the tests of a suite that is skipped: it is they that say so. */
function skipsSuite(text: string): boolean {
  return /\bdescribe(?:\.skip|\([^\n]*\{ *skip)\b/.test(text)
}

/** The end-to-end tests stand outside the house, and look up the SDK's type files. */
function mayResolve(file: string, how: string): boolean {
  return file.startsWith('e2e/') && how === 'createRequire'
}

/** A process reads its settings once, where it starts. */
function mayReadEnvironment(file: string): boolean {
  if (isForTests(file) || file.startsWith('scripts/')) return true
  return /(?:^|\/)(?:settings|main)\.ts$/.test(file)
}

function isForbiddenComment(comment: string): boolean {
  if (/@ts-(?:ignore|nocheck|expect-error)/.test(comment)) return true
  if (/oxlint-disable|eslint-disable/.test(comment) && !/ -- \S/.test(comment)) return true
  return /\b(?:TODO|FIXME|XXX|HACK)\b/.test(comment)
}

describe('this test', () => {
  const catches = (text: string, file = 'core/example.ts') => mistakesIn(file, text).length > 0

  it('sees every way to import', () => {
    for (const text of [
      "import pg from 'pg'",
      "import 'pg'",
      'import "pg"',
      "import type { Client } from 'pg'",
      "import { a,\n  b as c } from 'pg'",
      "import * as pg from 'pg'",
      "export * from 'pg'",
      "export { Client } from 'pg'",
      "export type { Client } from 'pg'",
      "const pg = await import('pg')",
      'const pg = await import(`pg`)',
      "const pg = await import /* hidden */ ('pg')",
      "const pg = await import('pg', { with: {} })",
      'const text = `${await import("pg")}`',
      'const text = `${`${(await import("pg")).a}`}`',
      "type Client = import('pg').Client",
      "import pg = require('pg')",
      "const pg = require('pg')",
      "const text = 'x' /* ' */; import pg from 'pg'",
      "const quote = /'/; import pg from 'pg' // '",
      "import fs from 'node:fs'",
      "import fs from 'fs'",
      "import { x } from '@quorate/server/main'",
      "import { x } from '../server/main.ts'",
      "import { x } from '../corex/main.ts'",
    ])
      assert.ok(catches(text), text)
  })

  it('sees what cannot be read as an import', () => {
    for (const text of [
      'await import(name)',
      "await import('p' + 'g')",
      'await import(`p${g}`)',
      "await import('p\\x67')",
      "import x from 'p\\x67'",
      "import { createRequire } from 'node:module'",
      'const load = module.createRequire(here)',
      "process.getBuiltinModule('fs')",
      "eval('1')",
      "new Function('return 1')",
      '\\u0069mport("pg")',
    ])
      assert.ok(catches(text), text)
  })

  it('takes nothing else for an import', () => {
    for (const text of [
      "import { x } from './x.ts'",
      "import { createHash } from 'node:crypto'",
      'const text = "import \'pg\'"',
      "// import 'pg'",
      "/* import('pg') */",
      "const words = ['from', 'pg']",
      "const text = `import 'pg'`",
      "const pattern = /import 'pg'/",
      "const half = a / b; const text = 'x / from'",
      "table.import('pg')",
      'const url = import.meta.url',
      "Array.from('pg')",
    ])
      assert.deepEqual(mistakesIn('core/example.ts', text), [], text)
  })

  it('sees who reads the environment', () => {
    for (const text of [
      'const { env } = process',
      "process.env['A']",
      'process?.env',
      "process['env']",
      'globalThis.process.env',
      'const p = process',
    ])
      assert.ok(catches(text, 'signer/store.ts'), text)
    assert.ok(!catches('process.pid', 'signer/store.ts'))
    assert.ok(!catches('read(process.env)', 'signer/settings.ts'))
  })

  it('sees comments that switch a check off, or put work off', () => {
    for (const text of [
      '// @ts-ignore',
      '/* @ts-expect-error */',
      '// oxlint-disable-next-line no-x',
      '// TODO later',
    ])
      assert.ok(catches(text), text)
    assert.ok(!catches('// oxlint-disable-next-line no-x -- the paper writes it so'))
  })

  it('sees suites that are skipped', () => {
    for (const how of ["('x', { skip }, () => 1)", "('x', { skip: why() }, f)", ".skip('x', f)"])
      assert.ok(catches(`describe${how}`), how)
    const counted = "('x', () => {\n  it('y', { skip }, f)"
    assert.ok(!catches(`describe${counted}`))
  })

  it('keeps single files of a room apart from the rest of it', () => {
    assert.ok(mayImport('server/a.ts', '@quorate/threshold/public'))
    assert.ok(mayImport('server/a.ts', '@quorate/threshold/public/verify'))
    assert.ok(!mayImport('server/a.ts', '@quorate/threshold/publication'))
    assert.ok(!mayImport('server/a.ts', '@quorate/threshold/frost/sign'))
    assert.ok(!mayImport('signer/a.ts', '@quorate/threshold/sharing/split'))
    assert.ok(!mayImport('signer/a.ts', 'fastify'))
    assert.ok(!mayImport('core/a.ts', '@quorate/scripts/test-database'))
    assert.ok(mayImport('server/a.test.ts', '@quorate/scripts/test-database'))
  })
})

describe('the lint rules', () => {
  const lines = (count: number) => Array.from({ length: count }, (_, i) => `  use(${i})`).join('\n')
  const cases: Readonly<Record<string, string>> = {
    'max-lines-per-function': `export function long(use: (n: number) => void) {\n${lines(71)}\n}\n`,
    'no-explicit-any': 'export const x: any = 1\n',
    'no-non-null-assertion': 'export const x = (y: string | undefined) => y!.length\n',
    'ban-ts-comment': '// @ts-ignore\nexport const x = 1\n',
    'no-empty': 'export function f(g: () => void) {\n  try {\n    g()\n  } catch {}\n}\n',
    'no-default-export': 'export default 1\n',
    'no-process-env': 'export const x = process.env\n',
    'no-cycle': "import { b } from './b.ts'\nexport const a = () => b\n",
  }

  it('report each thing they are there for', () => {
    const folder = mkdtempSync(join(tmpdir(), 'quorate-lint-'))
    try {
      mkdirSync(join(folder, 'core'))
      copyFileSync(join(checkout, '.oxlintrc.json'), join(folder, '.oxlintrc.json'))
      for (const [rule, text] of Object.entries(cases))
        writeFileSync(join(folder, 'core', rule === 'no-cycle' ? 'a.ts' : `${rule}.ts`), text)
      writeFileSync(
        join(folder, 'core', 'b.ts'),
        "import { a } from './a.ts'\nexport const b = () => a\n",
      )
      const program = join(checkout, 'node_modules', 'oxlint', 'bin', 'oxlint')
      const { stdout } = spawnSync(process.execPath, [program], { cwd: folder, encoding: 'utf8' })
      for (const rule of Object.keys(cases)) assert.match(stdout, new RegExp(`\\(${rule}\\)`))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
