import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keepAttendance, leftOutMs } from './attendance.ts'

describe('attendance', () => {
  const connected = [1, 2, 3, 4]

  it('chooses every quorum of the connected signers, and none with others', () => {
    const attendance = keepAttendance(Date.now, sequence())
    const chosen = Array.from({ length: 60 }, () =>
      String(attendance.choose({ connected: [1, 3, 4], size: 2 })),
    )
    assert.deepEqual(new Set(chosen), new Set(['1,3', '1,4', '3,4']))
  })

  it('leaves a signer out that missed a round, for thirty seconds, unless nobody else is there', () => {
    let now = 1_000
    const attendance = keepAttendance(() => now, sequence())
    attendance.miss(2)
    const quorums = () =>
      Array.from({ length: 60 }, () => attendance.choose({ connected, size: 2 })).flat()
    assert.ok(!quorums().includes(2))
    assert.deepEqual(attendance.choose({ connected: [2, 3], size: 2 }), [2, 3])
    now += 1
    attendance.miss(3)
    assert.deepEqual(attendance.choose({ connected: [1, 2, 3], size: 2 }), [1, 2])
    now -= 1
    assert.equal(attendance.leftOutUntil(2), now + leftOutMs)
    now += leftOutMs + 1
    assert.ok(quorums().includes(2))
    assert.equal(attendance.leftOutUntil(2), undefined)
  })

  it('excuses a signer that is not ready once in that time, and not again and again', () => {
    let now = 1_000
    const attendance = keepAttendance(() => now, sequence())
    attendance.excuse(2)
    assert.equal(attendance.leftOutUntil(2), undefined)
    now += leftOutMs
    attendance.excuse(2)
    assert.equal(attendance.leftOutUntil(2), undefined)
    attendance.excuse(2)
    assert.equal(attendance.leftOutUntil(2), now + leftOutMs)
  })

  it('keeps pairs apart that must not meet, and says when there is no quorum', () => {
    const attendance = keepAttendance(Date.now, sequence())
    const apart = [
      [1, 2],
      [1, 3],
      [1, 4],
    ] as const
    for (let i = 0; i < 30; i++)
      assert.ok(!attendance.choose({ connected, size: 2, apart })?.includes(1))
    const except = [[2, 3]]
    for (let i = 0; i < 30; i++)
      assert.notDeepEqual(attendance.choose({ connected, size: 2, except }), [2, 3])
    assert.equal(attendance.choose({ connected: [1], size: 2 }), undefined)
    assert.equal(attendance.choose({ connected: [1, 2], size: 2, apart }), undefined)
  })
})

/** Goes through [0, 1) evenly. */
function sequence(): () => number {
  let at = 0
  return () => (at = (at + 0.381966) % 1)
}
