import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { KeptOutcomes } from './kept-outcomes.ts'
import type { Outcome } from './tally.ts'

const run = { first: 7, transfers: 300 }
const outcomeOf = (seed: number): Outcome => ({
  ...{ again: `--seed ${seed} --transfers 100`, transfers: 100 },
  statuses: new Map([['Confirmed', 60 + seed]]),
  faults: new Map([['node: not reached', seed]]),
  ...{ visited: new Set([`dies before ${seed}`]), unknown: new Set([`somewhere ${seed}`]) },
  findings: [{ kind: 'lost', about: `transfer ${seed}` }],
})

describe('outcomes that are kept', () => {
  let folder: string
  before(() => (folder = mkdtempSync(join(tmpdir(), 'outcomes-'))))
  after(() => rmSync(folder, { recursive: true }))

  it('are there again, with the time that they took', () => {
    const path = join(folder, 'again')
    const kept = new KeptOutcomes(path, run)
    assert.deepEqual([kept.outcomes, kept.seconds], [[], 0])
    kept.add(outcomeOf(1), 12)
    kept.add(outcomeOf(2), 19)
    const again = new KeptOutcomes(path, run)
    assert.deepEqual(again.outcomes, [outcomeOf(1), outcomeOf(2)])
    assert.equal(again.seconds, 19)
  })

  it('go on behind a line that the end of a process has cut off', () => {
    const path = join(folder, 'cut off')
    new KeptOutcomes(path, run).add(outcomeOf(1), 12)
    appendFileSync(path, '{"seconds":13,"aga')
    new KeptOutcomes(path, run).add(outcomeOf(2), 14)
    assert.deepEqual(new KeptOutcomes(path, run).outcomes, [outcomeOf(1), outcomeOf(2)])
  })

  it('are no other run’s', () => {
    const path = join(folder, 'other')
    new KeptOutcomes(path, run).add(outcomeOf(1), 12)
    for (const other of [
      { ...run, first: 8 },
      { ...run, transfers: 400 },
    ])
      assert.throws(() => new KeptOutcomes(path, other), /is of another run/)
  })
})
