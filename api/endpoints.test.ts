import assert from 'node:assert/strict'
import { test } from 'node:test'

import { z } from 'zod'

import { operationNames } from '@quorate/authority/operations'

import { endpoints } from './endpoints.ts'

test('every operation of the table has one endpoint, and there is no other', () => {
  const served = endpoints.map(({ name }) => name)
  assert.deepEqual(served.toSorted(), operationNames.toSorted())
})

test('an endpoint takes the parameters that its path names', () => {
  for (const { name, operation, params } of endpoints) {
    const named = [...operation.path.matchAll(/:([a-zA-Z]+)/g)].map(([, param]) => param)
    assert.ok(params instanceof z.ZodObject, name)
    assert.deepEqual(Object.keys(params.shape), named, name)
  }
})

test('what may be erased is a member of the body', () => {
  for (const { name, operation, body } of endpoints) {
    // Of an identity provider's token the log has one word, and not the token.
    if (name === 'auth.createSocialRegistrationChallenge') continue
    const json = JSON.stringify(z.toJSONSchema(body, { unrepresentable: 'any' }))
    for (const member of operation.erasable) assert.ok(json.includes(`"${member}"`), name)
  }
})

test('a member that no body names is refused, except in queries', () => {
  for (const { name, operation, body, query } of endpoints) {
    if (operation.method === 'GET') {
      // What some queries need, and none minds.
      const needed = { network: 'Base', startTime: '2026-01-31', endTime: '2026-02-01' }
      assert.equal(query.safeParse({ ...needed, surprise: '1' }).success, true, name)
      continue
    }
    const { error } = body.safeParse({ surprise: 1 })
    assert.ok(error, name)
  }
})
