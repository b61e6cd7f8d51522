import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { clockFrom, leapMsMax } from './clock.ts'

const day = 24 * 60 * 60_000

function machine(floor = 0) {
  const machine = { wall: 1_000_000_000, steady: 50 }
  const clock = clockFrom({ wall: () => machine.wall, steady: () => machine.steady }, floor)
  const pass = (wall: number, steady: number) => {
    machine.wall += wall
    machine.steady += steady
    return clock.read()
  }
  return { pass }
}

describe('the clock', () => {
  it('goes with the machine, and is as patient as a time service is slow', () => {
    const { pass } = machine()
    assert.deepEqual(pass(10, 10), { ok: true, time: 1_000_000_010 })
    for (let minute = 0; minute < day; minute += 60_000)
      assert.ok(pass(60_000, 60_000 - 60_000 / 2_500).ok)
    assert.deepEqual(pass(0, 0), { ok: true, time: 1_000_000_010 + day })
  })

  it('refuses a leap, in both directions, until it is taken back', () => {
    for (const leap of [leapMsMax + 1, -leapMsMax - 1]) {
      const { pass } = machine()
      assert.equal(pass(leap, 0).ok, false)
      assert.equal(pass(1_000, 1_000).ok, false)
      assert.equal(pass(-leap, 0).ok, true)
    }
    assert.equal(machine().pass(31 * day, 60_000).ok, false)
  })

  it('saves up no leaps, however long it has run', () => {
    for (const pause of [day, 365 * day]) {
      const { pass } = machine()
      for (let passed = 0; passed < 365 * day; passed += pause) assert.ok(pass(pause, pause).ok)
      assert.equal(pass(leapMsMax + 1, 0).ok, false)
      assert.equal(pass(-1, 0).ok, true)
    }
  })

  it('is led astray by small leaps no faster than a time service corrects', () => {
    const { pass } = machine()
    let astray = 0
    for (let minute = 0; minute < day; minute += 60_000) {
      const isTaken = pass(60_000 + 1_000, 60_000).ok
      if (isTaken) astray += 1_000
      else pass(-1_000, 0)
    }
    assert.ok(astray < leapMsMax + day * 0.0005 + 1_000)
  })

  it('is well again after a start with a clock that was a century ahead', () => {
    const wall = 1_000_000_000_000
    const floor = wall - day
    const wrong = clockFrom({ wall: () => wall + 36_500 * day, steady: () => 7 }, floor)
    assert.equal(wrong.read().ok, true)
    assert.equal(wrong.surely(), floor)
    const right = clockFrom({ wall: () => wall, steady: () => 7 }, wrong.surely())
    assert.deepEqual(right.read(), { ok: true, time: wall })
  })

  it('is sure of what a quorum has certified and of what has passed since, and of no more', () => {
    let steady = 0
    const source = { wall: () => 5 * day, steady: () => steady }
    const clock = clockFrom(source, day)
    clock.read()
    assert.equal(clock.surely(), day)
    clock.learn(2 * day)
    assert.equal(clock.surely(), 2 * day - leapMsMax)
    clock.learn(day)
    steady += 100_000
    assert.equal(clock.surely(), 2 * day - leapMsMax + 100_000 - 50)
  })

  it('never runs back by the little that is no leap', () => {
    const { pass } = machine()
    assert.deepEqual(pass(1_000, 1_000), { ok: true, time: 1_000_001_000 })
    assert.deepEqual(pass(-3_000, 0), { ok: true, time: 1_000_001_000 })
  })

  it('remembers over a restart how late it was', () => {
    assert.equal(machine(1_000_000_000 + leapMsMax + 1).pass(0, 0).ok, false)
    assert.deepEqual(machine(1_000_000_000 + leapMsMax).pass(0, 0), {
      ok: true,
      time: 1_000_000_000 + leapMsMax,
    })
  })
})
