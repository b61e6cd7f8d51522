import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startMortal } from './mortal.ts'

describe('a process that is there to be killed', () => {
  it('has done nothing wrong by that', async () => {
    assert.deepEqual(await startMortal(['-e', 'setTimeout(() => {}, 60_000)']).kill(), [])
  })

  it('has where it ends by itself, or tells of a defect', async () => {
    const ending = startMortal(['-e', 'console.log("enough")'])
    await ending.ended
    assert.deepEqual(await ending.kill(), ['a process ended by itself: enough\n'])
    const wrong = startMortal(['-e', 'console.log("a step failed TypeError: x"); process.abort()'])
    await wrong.ended
    assert.equal((await wrong.kill()).at(-1), 'a step failed TypeError: x')
  })
})
