import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { operationNames, operations } from '@quorate/authority/operations'
import { endpoints } from './endpoints.ts'
import { isAnswerKept, readIdempotencyKey } from './idempotency.ts'

test('a key is what is visible of ASCII, at most 64 of it, in quotes or without', () => {
  for (const key of ['a', '!', '~', '8e03978e-40d5-43e8-bc93-6894a57f9324', 'a'.repeat(64)]) {
    assert.equal(readIdempotencyKey(key), key)
    assert.equal(readIdempotencyKey(`"${key}"`), key)
  }
  for (const header of [
    '',
    '""',
    '"',
    'a'.repeat(65),
    'a b',
    'a, b',
    'ä',
    '\u{7f}',
    'a"b',
    '"a\\"',
  ])
    assert.equal(readIdempotencyKey(header), undefined, header)
})

test('no answer is kept of what needs no signature, and none that is a secret', () => {
  const kept = operationNames.filter((name) => isAnswerKept({ name, operation: operations[name] }))
  for (const name of kept) assert.ok(operations[name].userAction, name)
  const secret = /"(accessToken|token|temporaryAuthenticationToken|challenge|code|secret|output)"/
  const mayHoldOne = endpoints
    .filter(({ name }) => kept.includes(name))
    .filter(({ returns }) =>
      secret.test(JSON.stringify(z.toJSONSchema(returns, { unrepresentable: 'any' }))),
    )
  // Of these, an access token is a member that is shown once: when it is made, and that is not kept.
  const changes = ['activate', 'archive', 'deactivate', 'update']
  assert.deepEqual(
    mayHoldOne.map(({ name }) => name).toSorted(),
    ['PersonalAccessToken', 'ServiceAccount']
      .flatMap((what) => changes.map((change) => `auth.${change}${what}`))
      .toSorted(),
  )
})
