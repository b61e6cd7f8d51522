import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { summaryOf } from './plans.ts'

const entry = (table: string, plan: string) => `2026-01-01 LOG:  duration: 1.0 ms  plan:
\tQuery Text: select * from "${table}" where "organization" = $1 order by "created_at" desc limit $2
\t${plan}
\t  Buffers: shared hit=1
`
const byIndex = `Limit  (actual rows=51.00 loops=1)
\t  Buffers: shared hit=50 read=4
\t  ->  Index Scan Backward using keys_by_time on keys  (actual rows=51.00 loops=1)`

describe('what PostgreSQL says about its plans', () => {
  it('names the index, and the blocks that the whole query read', () => {
    const log = entry('keys', byIndex) + entry('users', 'Seq Scan on users')
    assert.equal(
      summaryOf(log, 'keys'),
      'no sequential scan, no sort; by keys_by_time; 8 kB blocks read: 54',
    )
  })

  it('calls out a table that was read whole, and rows that were sorted', () => {
    const plan = 'Sort\n\t  Sort Method: top-N heapsort\n\t  ->  Seq Scan on keys'
    assert.match(summaryOf(entry('keys', plan), 'keys'), /^SEQUENTIAL SCAN of keys, SORTED/)
  })

  it('claims nothing when nothing was logged', () => {
    assert.match(summaryOf(entry('users', byIndex), 'keys'), /not known/)
  })
})
