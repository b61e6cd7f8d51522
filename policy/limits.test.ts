import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { judgeLimits, type Limits } from './limits.ts'

const within: Limits = { feeMax: 10n, feeCeiling: 10n, raw: false, rawAllowed: false }

describe('the built-in limits', () => {
  it('allow a fee up to the ceiling and not a unit more', () => {
    assert.equal(judgeLimits(within).verdict, 'allow')
    assert.deepEqual(judgeLimits({ ...within, feeMax: 11n }), {
      verdict: 'deny',
      reason: 'the fee may reach 11, above 10',
    })
  })

  it('allow raw bytes to a key with that right alone', () => {
    assert.equal(judgeLimits({ ...within, raw: true }).verdict, 'deny')
    assert.equal(judgeLimits({ ...within, raw: true, rawAllowed: true }).verdict, 'allow')
  })

  it('do not let one right make up for the other limit', () => {
    const both = { ...within, feeMax: 11n, raw: true, rawAllowed: true }
    assert.equal(judgeLimits(both).verdict, 'deny')
  })
})
