import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rateLine, spreadOf } from './measure.ts'

describe('what a benchmark says of its runs', () => {
  it('is the least, the middle and the one that nine in ten stay under', () => {
    const values = [5, 3, 11, 1, 9, 7, 2, 10, 8, 6, 4]
    assert.deepEqual(spreadOf(values), { least: 1, median: 6, p90: 10, count: 11 })
  })

  it('calls the highest rate the best', () => {
    assert.match(
      rateLine('signatures', [10, 30, 20]),
      /30\.0 a second at best, median 20\.0, worst 10\.0/,
    )
  })
})
