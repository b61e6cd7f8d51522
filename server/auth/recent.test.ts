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

test('there are never more than may be, and what is over goes with what comes later', () => {
  let now = 0
  const kept = new KeptFor<number>(1_000, () => now)
  for (let i = 0; i < 2_000; i++) {
    kept.put(String(i), i)
    assert.ok(kept.size <= 1_024)
  }
  assert.deepEqual([kept.get('0'), kept.get('1999')], [undefined, 1_999])
  for (now = 1_000; now <= 2_000; now += 1_000) kept.put(`at ${now}`, now)
  assert.equal(kept.size, 2)
  now = 9_000
  kept.put('last', 1)
  assert.equal(kept.size, 1)
})
