import assert from 'node:assert/strict'
import { test } from 'node:test'

import { matchesSignedRequest } from './user-action.ts'

const request = { method: 'POST', path: '/wallets/wa-1/transfers', payload: '{"a":1,"b":[2,"c"]}' }

function matches(changes: {
  signed?: Partial<typeof request>
  method?: string
  url?: string
  body?: string
}): boolean {
  const signed = { ...request, ...changes.signed }
  const { method = request.method, url = request.path, body = request.payload } = changes
  return matchesSignedRequest({ signed, actual: { method, url, body } })
}

test('the very request that was signed matches', () => {
  assert.equal(matches({}), true)
})

test('another method, path or body does not', () => {
  assert.equal(matches({ method: 'PUT' }), false)
  assert.equal(matches({ url: '/wallets/wa-2/transfers' }), false)
  assert.equal(matches({ url: '/wallets/wa-1/transfers/' }), false)
  assert.equal(matches({ url: '/wallets/wa%2D1/transfers' }), false)
  assert.equal(matches({ body: '{"a":1,"b":[2,"d"]}' }), false)
  assert.equal(matches({ body: '{"a":"1","b":[2,"c"]}' }), false)
  assert.equal(matches({ body: '{"a":1,"b":["c",2]}' }), false)
  assert.equal(matches({ body: '{"a":1,"b":[2,"c"],"d":null}' }), false)
  assert.equal(matches({ body: '{"a":1}' }), false)
  assert.equal(matches({ body: '' }), false)
})

test('a query that was not signed is ignored; one that was must be the same', () => {
  assert.equal(matches({ url: '/wallets/wa-1/transfers?force=true' }), true)
  const signed = { path: '/wallets/wa-1/transfers?force=true' }
  assert.equal(matches({ signed, url: '/wallets/wa-1/transfers?force=true' }), true)
  assert.equal(matches({ signed, url: '/wallets/wa-1/transfers?force=false' }), false)
  assert.equal(matches({ signed, url: '/wallets/wa-1/transfers?force=true&a=1' }), false)
  assert.equal(matches({ signed, url: '/wallets/wa-1/transfers' }), false)
})

test('a body may be spelled differently', () => {
  assert.equal(matches({ body: '{ "b": [2, "\\u0063"],\n "a": 1 }' }), true)
})

test('no body, an empty one and {} are one', () => {
  for (const payload of ['', '{}'])
    for (const body of ['', '{}', '{ }']) assert.equal(matches({ signed: { payload }, body }), true)
  assert.equal(matches({ signed: { payload: '' }, body: '[]' }), false)
  assert.equal(matches({ signed: { payload: '' }, body: 'null' }), false)
  assert.equal(matches({ signed: { payload: '{}' }, body: '{"a":1}' }), false)
})

test('a body that two parsers could read differently matches only itself', () => {
  assert.equal(matches({ signed: { payload: '{"a":1}' }, body: '{"a":2,"a":1}' }), false)
  assert.equal(matches({ signed: { payload: '{}' }, body: '{"__proto__":{}}' }), false)
  assert.equal(matches({ signed: { payload: '{"a":1}' }, body: '{"a":1.0}' }), false)
  assert.equal(
    matches({ signed: { payload: '{"a":9007199254740992}' }, body: '{"a":9007199254740993}' }),
    false,
  )
})
