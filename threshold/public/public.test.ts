import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, it } from 'node:test'

const room = join(import.meta.dirname, '..')

describe('what a server may import', () => {
  it('reaches the groups and the public half of each protocol, and no share', () => {
    const reached = new Set<string>()
    for (const file of readdirSync(import.meta.dirname))
      if (file.endsWith('.ts') && !file.endsWith('.test.ts')) reach(join('public', file), reached)
    const beyond = [...reached].filter((file) => !/^(public|group|kernel)\//.test(file)).sort()
    assert.deepEqual(beyond, [
      'dh/input.ts',
      'dh/proof.ts',
      'ecdsa/abort.ts',
      'ecdsa/combine.ts',
      'ecdsa/curve.ts',
      'ecdsa/messages.ts',
      'ecdsa/parameters.ts',
      'frost/aggregate.ts',
      'frost/commitments.ts',
      'frost/suite.ts',
      'taproot/key.ts',
      'taproot/suite.ts',
      'taproot/tagged-hash.ts',
    ])
  })
})

/** Types are gone when the code runs, so `import type` reaches nothing. */
function reach(file: string, reached: Set<string>): void {
  if (reached.has(file)) return
  reached.add(file)
  const text = readFileSync(join(room, file), 'utf8')
  for (const [, path] of text.matchAll(/^(?:import|export)(?! type)[^']*'(\.[^']+)'/gm))
    reach(relative(room, join(room, dirname(file), path ?? '')), reached)
}
