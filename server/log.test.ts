import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openLog } from './log.ts'

describe('the log', () => {
  it('says of an error what it is and not what a driver hung on it', () => {
    const lines: string[] = []
    const log = openLog({ write: (line) => void lines.push(line) })
    const cause = Object.assign(new Error('refused'), { code: '23505', detail: 'Key (x)=(secret)' })
    log.error({ err: new Error('not kept', { cause }) }, 'failed')
    const [line = ''] = lines
    const { err, msg } = JSON.parse(line)
    assert.equal(msg, 'failed')
    assert.deepEqual([err.message, err.cause.code], ['not kept', '23505'])
    assert.ok(!line.includes('secret'))
  })
})
