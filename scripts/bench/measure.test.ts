import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rateLine, spreadOf } from './measure.ts'

describe('what a benchmark says of its runs', () => {
  it('is the least, the middle, and those that nine in ten and more stay under', () => {
    const values = Array.from({ length: 101 }, (_, i) => (i * 37) % 101)
    assert.deepEqual(spreadOf(values), {
      ...{ least: 0, median: 50, p95: 95, p99: 99, count: 101 },
    })
  })

  it('calls the highest rate the best', () => {
    assert.match(
      rateLine('signatures', [10, 30, 20]),
      /30\.0 a second at best, median 20\.0, worst 10\.0/,
    )
  })
})
