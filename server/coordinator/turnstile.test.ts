import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openTurnstile } from './turnstile.ts'

describe('a turnstile', () => {
  it('lets so many through at once, and the others in their order', async () => {
    const through = openTurnstile(2, 10)
    const [begun, ends]: [number[], (() => void)[]] = [[], []]
    const work = (name: number) => () => {
      begun.push(name)
      return new Promise<number>((resolve) => ends.push(() => resolve(name)))
    }
    const all = [0, 1, 2, 3, 4].map((name) => through(work(name)))
    await settled()
    assert.deepEqual(begun, [0, 1])
    ends[1]?.()
    await settled()
    assert.deepEqual(begun, [0, 1, 2])
    for (let i = 0; i < 5; i++) {
      for (const end of ends) end()
      await settled()
    }
    assert.deepEqual(begun, [0, 1, 2, 3, 4])
    assert.deepEqual(await Promise.all(all), [0, 1, 2, 3, 4])
  })

  it('gives the place on when the work fails', async () => {
    const through = openTurnstile(1, 1)
    const failed = through(() => Promise.reject(new Error('as it may')))
    const next = through(async () => 'done')
    await assert.rejects(failed, /as it may/)
    assert.equal(await next, 'done')
  })

  it('turns away whom it could only keep waiting', async () => {
    const through = openTurnstile(1, 1)
    const { promise, resolve } = Promise.withResolvers<void>()
    const inside = through(() => promise)
    const waits = through(async () => 'done')
    await assert.rejects(
      through(async () => 'never'),
      { code: 'signing.failed' },
    )
    resolve()
    await inside
    assert.equal(await waits, 'done')
  })
})

const settled = () => new Promise((resolve) => setImmediate(resolve))
