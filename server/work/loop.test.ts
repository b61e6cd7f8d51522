import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startLoop } from './loop.ts'

/** Longer than any test: nobody waits for it. */
const never = 3_600_000

/** A loop whose turns are counted, and waited for. */
function counting(turn: (count: number) => Promise<number>) {
  let count = 0
  const errors: unknown[] = []
  const reached: { readonly count: number; readonly resolve: () => void }[] = []
  const loop = startLoop({
    turn: () => {
      count += 1
      for (const one of reached) if (one.count <= count) one.resolve()
      return turn(count)
    },
    onError: (error) => errors.push(error),
    troubledMs: 1,
  })
  const turns = (wanted: number) =>
    new Promise<void>((resolve) => {
      if (count >= wanted) resolve()
      else reached.push({ count: wanted, resolve })
    })
  return { loop, turns, errors, count: () => count }
}

describe('a loop', () => {
  it('turns at once, after the time that a turn names, and after trouble', async () => {
    const { loop, turns, errors } = counting(async (count) => {
      if (count === 2) throw new Error('the database is gone')
      return 1
    })
    await turns(4)
    await loop.stop()
    assert.equal(errors.length, 1)
  })

  it('turns when it is woken, also when that comes while it turns', async () => {
    const gate = Promise.withResolvers<void>()
    const { loop, turns } = counting(async (count) => {
      if (count === 2) await gate.promise
      return never
    })
    await turns(1)
    loop.wake()
    await turns(2)
    loop.wake()
    gate.resolve()
    await turns(3)
    await loop.stop()
  })

  it('ends the turn that is begun when it is stopped, and begins no other', async () => {
    const gate = Promise.withResolvers<void>()
    let isOver = false
    const { loop, count } = counting(async () => {
      await gate.promise
      isOver = true
      return 0
    })
    const stopped = loop.stop()
    gate.resolve()
    await stopped
    assert.deepEqual([isOver, count()], [true, 1])
  })
})
