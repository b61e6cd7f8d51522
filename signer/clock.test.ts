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
    assert.deepEqual(pass(day, day - day / 2_500), { ok: true, time: 1_000_000_010 + day })
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
