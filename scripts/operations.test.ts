import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { passedOnNames } from './settings.ts'

const checkout = dirname(dirname(fileURLToPath(import.meta.url)))
const read = (file: string) => readFileSync(join(checkout, file), 'utf8')

/** Those of a command and of tests stand elsewhere. */
const isOfStart = (name: string) => !/^QUORATE_(TOKEN|VECTORS|TEST_)/.test(name)

/** The names that the code of a settings file has in quotes. */
function namesIn(file: string, prefix: string): readonly string[] {
  const found = read(file).matchAll(new RegExp(`'(${prefix}_[A-Z_]*[A-Z])'`, 'g'))
  return [...new Set([...found].map(([, name = '']) => name))].filter(isOfStart).toSorted()
}

describe('the page for operators', () => {
  const page = read('docs/operations.md')
  const rows = [...page.matchAll(/^\| `([A-Z]+_[A-Z_]+)` \|/gm)].map(([, name = '']) => name)

  for (const [file, prefix] of [
    ['server/settings.ts', 'SERVER'],
    ['signer/settings.ts', 'SIGNER'],
    ['scripts/settings.ts', 'QUORATE'],
  ] as const)
    it(`has every setting of ${file} in its tables, and no other`, () => {
      const told = rows.filter((name) => name.startsWith(`${prefix}_`)).toSorted()
      assert.ok(told.length > 5)
      assert.deepEqual(told, namesIn(file, prefix))
    })

  it('names what npm start passes on, all of which the server knows', () => {
    const known = namesIn('server/settings.ts', 'SERVER')
    for (const name of passedOnNames) assert.ok(known.includes(name), name)
    const [, section = ''] = page.split('## Settings of `npm start`')
    for (const name of passedOnNames) assert.ok(section.includes(`\`${name}\``), name)
  })
})
