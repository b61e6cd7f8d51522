import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compare, differentials } from './testing/differential.ts'

/** As many in full: `npm run differential -- --cases 1000000`. */
const cases = 2_000

describe('what a signer builds and reads, in cases drawn from numbers', () => {
  it(`is what viem makes of it, in ${cases} cases`, () => {
    const kinds = Array.from({ length: cases }, (_, seed) => compare(seed))
    for (const kind of Object.keys(differentials))
      assert.ok(kinds.filter((each) => each === kind).length > cases / 100, kind)
  })
})
