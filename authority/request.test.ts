import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Failure } from '@quorate/core/failure'
import { commitTo, membersMax } from './request.ts'

const salt = new Uint8Array(32)
const withMembers = (count: number) =>
  JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`m${i}`, i])))

describe('the commitment to a payload', () => {
  it('is to a bounded number of members, since each costs hashes', () => {
    assert.equal(commitTo(withMembers(membersMax), salt).fields.length, 32)
    assert.throws(
      () => commitTo(withMembers(membersMax + 1), salt),
      new Failure('json.malformed', { reason: 'more than 64 members' }),
    )
  })
})
