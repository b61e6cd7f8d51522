import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inLine } from './line.ts'
import { expire, lastMoments } from './outcome.ts'

const row = {
  ...({ state: 'requested', waiting: null, names_slot: false, fee_sponsor: null } as const),
  execute_before: 1_000,
}
const fees = 'fees are above what was signed for'

function reasonFor(change: Partial<Parameters<typeof expire>[0]>, now: number): unknown {
  const outcome = expire({ ...row, ...change }, now)
  return outcome.kind === 'move' && outcome.values?.reason
}

describe('what has not been signed in time', () => {
  it('says that it stood in line, where it did', () => {
    for (const waiting of [null, inLine.desk, inLine.pool])
      assert.match(`${reasonFor({ waiting }, 999)}`, /^too many stood before it in line/)
  })

  it('says what it waited for, if that was something else', () => {
    for (const state of ['requested', 'prepared'] as const)
      assert.equal(reasonFor({ state, waiting: fees }, 999), `not signed within its time: ${fees}`)
  })

  it('says nothing of a line in which it did not stand', () => {
    const atDesk = { state: 'slotted' } as const
    for (const change of [atDesk, { names_slot: true }, { fee_sponsor: new Uint8Array(32) }])
      assert.equal(reasonFor(change, 999), 'not signed within its time')
  })

  it('says the same of its last moment, when it has run out of that', () => {
    assert.equal(reasonFor({}, 1_000), 'not executed within its time')
    assert.equal(reasonFor({ waiting: fees }, 1_000), `not executed within its time: ${fees}`)
    const soon = { state: 'prepared', waiting: lastMoments } as const
    assert.equal(reasonFor(soon, 1_000), 'not executed within its time')
  })
})
