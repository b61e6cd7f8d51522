import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concatAll } from './bytes.ts'

describe('bytes', () => {
  it('are joined however many pieces there are', () => {
    const pieces = Array.from({ length: 300_000 }, () => new Uint8Array([7]))
    assert.deepEqual(concatAll(pieces), new Uint8Array(300_000).fill(7))
  })
})
