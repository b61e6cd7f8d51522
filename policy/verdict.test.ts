import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { allow, deny, strictest, type Verdict } from './verdict.ts'

const hold: Verdict = { verdict: 'hold', reason: 'over 1000' }

describe('several verdicts', () => {
  it('allow together only when each allows', () => {
    assert.equal(strictest([]), allow)
    assert.equal(strictest([allow, allow]), allow)
  })

  it('hold when one holds, and deny when one denies, wherever it stands', () => {
    assert.equal(strictest([allow, hold]), hold)
    assert.deepEqual(strictest([hold, deny('never'), allow]), deny('never'))
  })
})
