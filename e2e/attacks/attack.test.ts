import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { at, attack, endOf, type Outcome } from './attack.ts'
import { endedOf } from './mutants.ts'

const held: Outcome = {
  ...{ refusals: ['the key is frozen'], votes: 0, seals: 0, lastRounds: 0, isSigned: false },
  changed: 0,
}
const tried = (outcome: Outcome, votesMax = 0) =>
  endOf(
    attack('tries', at('x.ts', 'the key is frozen'), () => Promise.resolve(outcome), { votesMax }),
    outcome,
  ).kind

describe('the end of an attack', () => {
  it('is at its own check, at another one, or at what it wanted', () => {
    assert.equal(tried(held), 'stopped')
    assert.equal(tried({ ...held, refusals: ['the user is frozen'] }), 'elsewhere')
    for (const got of [{ isSigned: true }, { lastRounds: 1 }, { seals: 1 }, { votes: 1 }] as const)
      assert.equal(tried({ ...held, ...got }), 'through')
    assert.equal(tried({ ...held, changed: 1 }), 'through')
    assert.equal(tried({ ...held, refusals: [] }), 'through')
    assert.equal(tried({ ...held, votes: 1, changed: 1 }, 1), 'stopped')
  })
})

describe('an attack whose check was taken away', () => {
  const ended = (code: number | string) =>
    endedOf({ code, stdout: 'it says\n', stderr: 'x\nTypeError: no such thing\n' })

  it('has got through, was refused by another check, or has noticed nothing', () => {
    assert.deepEqual(ended(20), { kind: 'through', told: 'it says' })
    assert.deepEqual(ended(21), { kind: 'elsewhere', told: 'it says' })
    assert.deepEqual(ended(0), { kind: 'stopped', told: 'it says' })
  })

  it('has done none of it where it failed by an error', () => {
    for (const code of [1, 13, 'SIGKILL'])
      assert.deepEqual(ended(code), { kind: 'broken', told: 'TypeError: no such thing' })
  })
})
