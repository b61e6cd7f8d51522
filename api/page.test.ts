import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'

import { isFailure } from '@quorate/core/failure'

import { cutPage, pageQuery, positionOf, shortPageQuery } from './page.ts'
import { listUsers } from './users.ts'
import { listWebhookEvents, listWebhooks } from './webhooks.ts'

const query = z.object(pageQuery)
const positionAt = (row: number): string => `row ${row}`

test('a limit is 1 to 500, and 50 when nothing is said', () => {
  assert.equal(query.parse({}).limit, 50)
  assert.equal(query.parse({ limit: '500' }).limit, 500)
  for (const limit of ['0', '501', '-1', '1.5', '', 'all', '1e2', '0x10'])
    assert.equal(query.safeParse({ limit }).success, false, limit)
})

test('a limit of users, webhooks and their events is 1 to 200', () => {
  const short = z.object(shortPageQuery)
  assert.equal(short.parse({}).limit, 50)
  assert.equal(short.parse({ limit: '200' }).limit, 200)
  for (const { query } of [listUsers, listWebhooks, listWebhookEvents])
    assert.equal(query.safeParse({ limit: '201' }).success, false)
})

test('one row more than the limit makes a token, which leads back to the last row given', () => {
  const { items, nextPageToken } = cutPage([1, 2, 3], 2, positionAt)
  assert.deepEqual(items, [1, 2])
  assert.equal(positionOf(nextPageToken ?? ''), 'row 2')
})

test('the last page has no token, not an empty one', () => {
  assert.deepEqual(cutPage([1, 2], 2, positionAt), { items: [1, 2] })
  assert.deepEqual(cutPage([], 2, positionAt), { items: [] })
})

test('a token that we did not make is a malformed query', () => {
  for (const token of ['?', 'a', 'AA==', '_w'])
    assert.throws(
      () => positionOf(token),
      (error) => isFailure(error, 'body.malformed'),
    )
})
