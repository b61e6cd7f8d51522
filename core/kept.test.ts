import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kept } from './kept.ts'

test('what nobody has put or asked for makes room, and what is asked for stays', () => {
  const kept = new Kept<number>(8)
  kept.put('asked for', 1)
  kept.put('forgotten', 2)
  for (let i = 0; i < 20; i++) {
    kept.put(String(i), i)
    assert.equal(kept.get('asked for'), 1)
  }
  assert.equal(kept.get('forgotten'), undefined)
})

test('there are never more than may be, and half as many of the newest always', () => {
  const kept = new Kept<number>(8)
  for (let i = 0; i < 100; i++) {
    kept.put(String(i), i)
    assert.ok(kept.size <= 8)
    for (let j = Math.max(0, i - 3); j <= i; j++) assert.equal(kept.get(String(j)), j)
  }
})

test('what is put again is the new value alone', () => {
  const kept = new Kept<number>(4)
  kept.put('a', 1)
  kept.put('b', 2)
  kept.put('a', 3)
  assert.deepEqual([kept.get('a'), kept.size], [3, 2])
})

test('what is dropped is gone, from either generation', () => {
  const kept = new Kept<number>(4)
  for (const name of ['a', 'b', 'c']) kept.put(name, 1)
  kept.drop('a')
  kept.drop('c')
  assert.deepEqual(
    [kept.get('a'), kept.get('b'), kept.get('c'), kept.size],
    [undefined, 1, undefined, 1],
  )
  kept.clear()
  assert.deepEqual([kept.get('b'), kept.size], [undefined, 0])
})
