import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unavailable } from './documents.ts'
import { askEveryMs, openFetched } from './fetched.ts'

const down = { code: 'issuer.unavailable' }

/** What is at an address now, `undefined` for nothing; the clock; and how often was asked. */
function world(entriesMax = 2) {
  const it = { value: 'a' as string | undefined, now: 0, asked: 0 }
  const read = async (url: string) => {
    it.asked += 1
    if (it.value === undefined) throw unavailable(url, 'down')
    return it.value
  }
  const fetched = openFetched({ read, lifeMs: 60_000, now: () => it.now, entriesMax })
  return { it, ...fetched }
}

describe('what was fetched', () => {
  it('is kept for its life, and then fetched again', async () => {
    const { it, get } = world()
    assert.equal(await get('one'), 'a')
    it.value = 'b'
    it.now = 59_999
    assert.equal(await get('one'), 'a')
    it.now = 60_000
    assert.equal(await get('one'), 'b')
    assert.equal(it.asked, 2)
  })

  it('is renewed on demand, but not as often as a stranger likes', async () => {
    const { it, get, renew } = world()
    await get('one')
    it.value = 'b'
    for (let i = 0; i < 100; i++) assert.equal(await renew('one'), 'a')
    assert.equal(it.asked, 1)
    it.now = askEveryMs
    assert.equal(await renew('one'), 'b')
    assert.equal(await get('one'), 'b')
    assert.equal(it.asked, 2)
  })

  it('is asked for once by all that want it at once', async () => {
    const { it, get, renew } = world()
    await Promise.all([get('one'), get('one'), renew('one')])
    assert.equal(it.asked, 1)
  })

  it('is not asked for again at once after a failure', async () => {
    const { it, get } = world()
    it.value = undefined
    for (let i = 0; i < 10; i++) await assert.rejects(get('one'), down)
    assert.equal(it.asked, 1)
    it.value = 'a'
    it.now = askEveryMs
    assert.equal(await get('one'), 'a')
  })

  it('outlives a renewal that fails', async () => {
    const { it, get, renew } = world()
    await get('one')
    it.value = undefined
    it.now = askEveryMs
    await assert.rejects(renew('one'), down)
    assert.equal(await get('one'), 'a')
  })

  it('is not believed beyond its life, even when there is nothing newer', async () => {
    const { it, get } = world()
    await get('one')
    it.value = undefined
    it.now = 60_000
    await assert.rejects(get('one'), down)
    await assert.rejects(get('one'), down)
  })

  it('makes room for others, the longest unused first', async () => {
    const { it, get } = world(2)
    for (const url of ['one', 'two', 'one', 'three', 'one']) await get(url)
    assert.equal(it.asked, 3)
    await get('two')
    assert.equal(it.asked, 4)
  })

  it('is not asked for while too many questions are open', async () => {
    const answer = Promise.withResolvers<string>()
    const read = () => answer.promise
    const { get } = openFetched({ read, lifeMs: 60_000, now: () => 0, entriesMax: 2 })
    const open = [get('one'), get('two')]
    await assert.rejects(get('three'), down)
    answer.resolve('a')
    assert.deepEqual(await Promise.all(open), ['a', 'a'])
    assert.equal(await get('three'), 'a')
  })
})
