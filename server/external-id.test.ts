import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Failure } from '@quorate/core/failure'
import type { TestDatabase } from '@quorate/scripts/test-database'
import { inTransaction, openDatabase, type Database } from './database/database.ts'
import { claimExternalId, fingerprintOfRequest } from './external-id.ts'
import { createServerDatabase } from './testing/database.ts'

const bytes = (fill: number) => new Uint8Array(32).fill(fill)
const organization = bytes(1)
const employee = { organization, user: bytes(2), kind: 'CustomerEmployee' } as const
const robot = { organization, user: bytes(3), kind: 'CustomerEmployee' } as const
const ada = { organization, user: bytes(4), kind: 'EndUser' } as const
const bob = { organization, user: bytes(5), kind: 'EndUser' } as const
const stranger = { ...employee, organization: bytes(6) }

describe('an external id', () => {
  let home: TestDatabase
  let database: Database
  before(async () => {
    home = await createServerDatabase()
    database = openDatabase(home.url, (error) => assert.fail(error))
  })
  after(async () => {
    await database.destroy()
    await home.drop()
  })

  const claim = (
    caller: Parameters<typeof claimExternalId>[1]['caller'],
    id: string,
    { path = '/a', payload = '{"amount":"1"}' } = {},
  ) =>
    inTransaction(database, (transaction) =>
      claimExternalId(transaction, {
        ...{ caller, kind: 'transfer', externalId: 'order-1', id },
        fingerprint: fingerprintOfRequest(path, payload),
      }),
    )

  it('is shared by the employees and service accounts of one organization', async () => {
    assert.equal(await claim(employee, 'xfr-1'), undefined)
    assert.deepEqual(await claim(robot, 'xfr-2'), { duplicateOf: 'xfr-1' })
    await assert.rejects(
      claim(robot, 'xfr-2', { payload: '{"amount":"2"}' }),
      new Failure('external_id.conflict', { kind: 'transfer', id: 'xfr-1', externalId: 'order-1' }),
    )
    assert.equal(await claim(stranger, 'xfr-3'), undefined)
  })

  it('of an end user is his own: it neither meets another’s nor tells of it', async () => {
    const [ownPath, otherPath] = [{ path: '/ada' }, { path: '/bob' }]
    assert.equal(await claim(ada, 'xfr-4', ownPath), undefined)
    assert.equal(await claim(bob, 'xfr-5', otherPath), undefined)
    assert.deepEqual(await claim(ada, 'xfr-6', ownPath), { duplicateOf: 'xfr-4' })
    assert.deepEqual(await claim(employee, 'xfr-7'), { duplicateOf: 'xfr-1' })
    await assert.rejects(
      claim(bob, 'xfr-8', ownPath),
      new Failure('external_id.conflict', { kind: 'transfer', id: 'xfr-5', externalId: 'order-1' }),
    )
  })

  it('says the same of members in another order', () => {
    const print = (payload: string) => fingerprintOfRequest('/a', payload)
    assert.deepEqual(print('{"a":1,"b":{"c":[1,2],"d":2}}'), print('{"b":{"d":2,"c":[1,2]},"a":1}'))
    assert.notDeepEqual(print('{"a":[1,2]}'), print('{"a":[2,1]}'))
    assert.notDeepEqual(print('{"a":1}'), fingerprintOfRequest('/b', '{"a":1}'))
  })
})
