import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createdName, idOf, isName, nameOf } from './id.ts'

const request = new Uint8Array(32).fill(7)

describe('ids', () => {
  it('have one name, of the form that the official client expects', () => {
    assert.equal(nameOf('wallet', new Uint8Array(32)), 'wa-aaaaa-aaaaa-aaaaaaaaaaaaaaaa')
    assert.equal(nameOf('key', new Uint8Array(32).fill(255)), 'key-77777-77777-7777777777777777')
    assert.match(createdName(request, 'wallet'), /^wa-[a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{14,16}$/)
  })

  it('differ by request, kind and index', () => {
    const names = [
      createdName(request, 'wallet'),
      createdName(request, 'wallet', 1),
      nameOf('wallet', idOf(request, 'key')),
      createdName(request.with(0, 8), 'wallet'),
    ]
    assert.equal(new Set(names).size, 4)
  })

  it('tell a name of their kind from any other text', () => {
    assert.ok(isName('wallet', createdName(request, 'wallet')))
    assert.ok(!isName('key', createdName(request, 'wallet')))
    assert.ok(!isName('wallet', 'wa-../../x'))
  })
})
