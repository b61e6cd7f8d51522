import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toUtf8 } from '@quorate/core/bytes'
import { totpCode, totpStep, totpUrl } from './totp.ts'

/** RFC 6238, appendix B: the last six of its eight digits are those of six. */
const secret = toUtf8('12345678901234567890')
const vectors = [
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
] as const

describe('one-time codes', () => {
  it('are those of the standard', () => {
    for (const [seconds, code] of vectors)
      assert.equal(totpCode(secret, Math.floor(seconds / 30)), code)
  })
  it('are good one step early or late, and no more', () => {
    const now = 1111111109_000
    const step = Math.floor(now / 30_000)
    const stepAt = (at: number) => totpStep(secret, '081804', { now: at, lastStep: undefined })
    for (const shift of [-1, 0, 1]) assert.equal(stepAt(now + shift * 30_000), step)
    for (const shift of [-2, 2]) assert.equal(stepAt(now + shift * 30_000), undefined)
    assert.equal(totpStep(secret, '81804', { now, lastStep: undefined }), undefined)
  })
  it('are taken once, and none after a newer one', () => {
    const now = 1111111109_000
    const step = Math.floor(now / 30_000)
    assert.equal(totpStep(secret, '081804', { now, lastStep: step }), undefined)
    assert.equal(totpStep(secret, '081804', { now, lastStep: step + 1 }), undefined)
    assert.equal(totpStep(secret, '081804', { now, lastStep: step - 1 }), step)
  })
  it('go into an app by an address', () => {
    const url = new URL(totpUrl(secret, { issuer: 'Example', username: 'a@b.test' }))
    assert.equal(url.searchParams.get('secret'), 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
  })
})
