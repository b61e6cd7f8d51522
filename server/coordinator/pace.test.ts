import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keepPace, patienceMsMax, patienceMsMin } from './pace.ts'

describe('the pace of signers', () => {
  it('waits as little as there may be before anybody has answered', () => {
    assert.equal(keepPace(2).patienceMs(), patienceMsMin)
  })

  it('waits four times as long as the t-th fastest usually takes', () => {
    const pace = keepPace(2)
    pace.took(1, 50)
    pace.took(2, 100)
    pace.took(3, 200)
    assert.equal(pace.patienceMs(), 400)
  })

  it('is not slowed down by those who answer late, as long as t are quick', () => {
    const pace = keepPace(2)
    for (const [signer, ms] of [
      [1, 60],
      [2, 70],
      [3, 60_000],
      [4, 60_000],
    ] as const)
      pace.took(signer, ms)
    assert.equal(pace.patienceMs(), 280)
  })

  it('is not hurried by one who answers at once', () => {
    const pace = keepPace(2)
    pace.took(1, 0)
    pace.took(2, 100)
    assert.equal(pace.patienceMs(), 400)
  })

  it('moves an eighth of the way to the newest answer', () => {
    const pace = keepPace(1)
    pace.took(1, 80)
    pace.took(1, 160)
    assert.equal(pace.patienceMs(), 360)
  })

  it('stays between its bounds, whatever it has measured', () => {
    const pace = keepPace(1)
    pace.took(1, 1)
    assert.equal(pace.patienceMs(), patienceMsMin)
    for (let i = 0; i < 40; i++) pace.took(1, 10_000)
    assert.equal(pace.patienceMs(), patienceMsMax)
  })
})
