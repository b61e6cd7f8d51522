import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { batching } from './batching.ts'

describe('questions of one kind', () => {
  it('of one moment are one, and each gets its own answer', async () => {
    const asked: (readonly number[])[] = []
    const square = batching((numbers: readonly number[]) => {
      asked.push(numbers)
      return Promise.resolve(numbers.map((n) => n * n))
    })
    assert.deepEqual(await Promise.all([1, 2, 3].map(square)), [1, 4, 9])
    assert.equal(await square(4), 16)
    assert.deepEqual(asked, [[1, 2, 3], [4]])
  })

  it('that come while others are asked are asked after these, together', async () => {
    const asked: (readonly string[])[] = []
    const gate = Promise.withResolvers<void>()
    const echo = batching(async (texts: readonly string[]) => {
      asked.push(texts)
      await gate.promise
      return texts
    })
    const first = echo('first')
    await new Promise(setImmediate)
    const others = ['second', 'third'].map(echo)
    await new Promise(setImmediate)
    assert.deepEqual(asked, [['first']])
    gate.resolve()
    assert.deepEqual(await Promise.all([first, ...others]), ['first', 'second', 'third'])
    assert.deepEqual(asked, [['first'], ['second', 'third']])
  })

  it('that fail together leave the next ones alone', async () => {
    const answers = [Promise.reject(new Error('no database')), Promise.resolve([1])]
    const ask = batching<string, number>(() => answers.shift() ?? Promise.resolve([]))
    await assert.rejects(ask('one'), /no database/)
    assert.equal(await ask('two'), 1)
    await assert.rejects(ask('three'), /not answered/)
  })

  it('are never more than a statement takes', async () => {
    const sizes: number[] = []
    const ask = batching((all: readonly number[]) => {
      sizes.push(all.length)
      return Promise.resolve(all)
    })
    const many = Array.from({ length: 300 }, (_, i) => i)
    assert.deepEqual(await Promise.all(many.map(ask)), many)
    assert.deepEqual(sizes, [256, 44])
  })
})
