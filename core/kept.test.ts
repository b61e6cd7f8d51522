import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kept } from './kept.ts'

test('what was put longest ago makes room, and what is put again is new', () => {
  const kept = new Kept<number>(2)
  kept.put('a', 1)
  kept.put('b', 2)
  kept.put('a', 3)
  assert.deepEqual(kept.oldest(), ['b', 2])
  kept.put('c', 4)
  assert.deepEqual([kept.get('a'), kept.get('b'), kept.get('c'), kept.size], [3, undefined, 4, 2])
})

test('what is dropped is gone', () => {
  const kept = new Kept<number>(2)
  kept.put('a', 1)
  kept.put('b', 2)
  kept.drop('a')
  assert.deepEqual([kept.get('a'), kept.get('b')], [undefined, 2])
  kept.clear()
  assert.deepEqual([kept.size, kept.oldest()], [0, undefined])
})
