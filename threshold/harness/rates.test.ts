import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { binomialRange, isAsInTheory, rateLine, rateOf } from './rates.ts'
import { scripts } from './scripts.ts'

describe('an attacker who makes all that follows fit its lie', () => {
  for (const script of scripts())
    it(`is caught as often as theory has it: ${script.name}`, (t) => {
      const rate = rateOf(script, { everything: false })
      t.diagnostic(rateLine(rate))
      assert.ok(isAsInTheory(rate), `${rateLine(rate)}; else ${rate.others.join(', ')}`)
    })
})

describe('what theory allows', () => {
  it('is all or nothing where an attacker is always caught', () => {
    assert.deepEqual(binomialRange(10, 1), [10, 10])
  })

  it('is about four deviations where it is not', () => {
    // Mean 200, deviation 10.
    const [low, high] = binomialRange(400, 1 / 2)
    assert.ok(low > 200 - 42 && low < 200 - 36 && high === 400 - low)
  })

  it('is as narrow of thousands, where the chance of the first outcomes is no number any more', () => {
    // Mean 1500, deviation 19.4; the chance of none at all is 2^-4000.
    const [low, high] = binomialRange(2000, 3 / 4)
    assert.ok(low > 1500 - 82 && low < 1500 - 70, `${low}`)
    assert.ok(high < 1500 + 80 && high > 1500 + 68, `${high}`)
    assert.deepEqual(
      binomialRange(100_000, 1 / 2).map((bound) => Math.round(bound / 1000)),
      [49, 51],
    )
  })
})
