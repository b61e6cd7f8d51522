import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
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

test('what the official client has a method for is served, or the README says that it is not', () => {
  const asked = globSync('../node_modules/@dfns/sdk/generated/*/client.js', {
    cwd: import.meta.dirname,
  }).flatMap((file) => operationsIn(readFileSync(new URL(file, import.meta.url), 'utf8')))
  assert.ok(asked.length > 170, `${asked.length} methods`)
  const served = new Set(endpoints.map(({ operation: { method, path } }) => shape(method, path)))
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8')
  const rows = readme
    .split('| not served |')[1]
    ?.split('\n')
    .filter((line) => line.startsWith('| `'))
  const listed = (rows ?? []).flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, path = '']) => path),
  )
  const lists = (path: string, entry: string) => path === entry || path.startsWith(`${entry}/`)
  const missing = asked.filter(({ method, path }) => !served.has(shape(method, path)))
  for (const { method, path } of missing)
    assert.ok(
      listed.some((entry) => lists(path, entry)),
      `${method} ${path} is neither served nor listed`,
    )
  for (const entry of listed) {
    assert.ok(
      missing.some(({ path }) => lists(path, entry)),
      `${entry} is none of the client's, or served`,
    )
    const kept = endpoints.filter(({ operation: { path } }) => lists(path, entry))
    assert.deepEqual(kept, [], `${entry} is listed and served`)
  }
})

/** As its generated code writes them: a path, and the method some lines below. */
function operationsIn(source: string): { readonly method: string; readonly path: string }[] {
  const calls = source.matchAll(/buildPathAndQuery\)\('([^']+)'[^]*?method: '([A-Z]+)'/g)
  return [...calls].map(([, path = '', method = '']) => ({ method, path }))
}

/** Whatever a parameter is called. */
function shape(method: string, path: string): string {
  return `${method} ${path.replaceAll(/:[a-zA-Z]+/g, ':')}`
}
