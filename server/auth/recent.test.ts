import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeptFor } from './recent.ts'

test('what is kept is there for its time and not longer', () => {
  let now = 0
  const kept = new KeptFor<string>(1_000, () => now)
  kept.put('a', 'one')
  now = 999
  assert.equal(kept.get('a'), 'one')
  now = 1_000
  assert.equal(kept.get('a'), undefined)
})

test('what is taken is taken once', () => {
  const kept = new KeptFor<string>(1_000, () => 0)
  kept.put('a', 'one')
  assert.deepEqual([kept.take('a'), kept.take('a'), kept.get('a')], ['one', undefined, undefined])
})

test('the oldest make room, and those whose time is over go with the next one', () => {
  let now = 0
  const kept = new KeptFor<number>(1_000, () => now)
  for (let i = 0; i < 1_025; i++) kept.put(String(i), i)
  assert.deepEqual([kept.get('0'), kept.get('1'), kept.size], [undefined, 1, 1_024])
  now = 1_000
  kept.put('last', 1)
  assert.equal(kept.size, 1)
})
