import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hashPassword, isPassword } from './password.ts'

describe('a password', () => {
  it('is known by its hash, and salted', async () => {
    const [one, two] = [await hashPassword('correct horse'), await hashPassword('correct horse')]
    assert.notDeepEqual(one, two)
    assert.equal(await isPassword('correct horse', one), true)
    assert.equal(await isPassword('correct house', one), false)
  })
  it('of somebody who has none is wrong', async () => {
    assert.equal(await isPassword('', undefined), false)
    assert.equal(await isPassword('\0'.repeat(32), undefined), false)
  })
})
