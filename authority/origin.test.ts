import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isRelyingParty, isWebAddress } from './origin.ts'

describe('the origin of a relying party', () => {
  it('is a page of its domain or below, with https or on the machine itself', () => {
    const pairs = [
      ['example.com', 'https://example.com'],
      ['example.com', 'https://app.example.com:8443'],
      ['xn--bcher-kva.example', 'https://xn--bcher-kva.example'],
      ['localhost', 'http://localhost:8080'],
      ['localhost', 'http://app.localhost'],
    ] as const
    for (const [id, origin] of pairs) assert.ok(isRelyingParty({ id, origin }), origin)
  })

  it('is nothing else', () => {
    const pairs = [
      ['example.com', 'https://example.org'],
      ['example.com', 'https://notexample.com'],
      ['app.example.com', 'https://example.com'],
      ['example.com', 'http://example.com'],
      ['example.com', 'https://example.com/'],
      ['example.com', 'https://Example.com'],
      ['example.com', 'https://example.com:443'],
      ['example.com', 'https://example.com:65536'],
      ['example.com', 'https://user@example.com'],
      ['example.com', 'https://example.com.'],
      ['example.com', 'null'],
      ['com', 'https://example.com'],
      ['10.0.0.1', 'https://10.0.0.1'],
      ['Example.com', 'https://example.com'],
      ['', 'https://example.com'],
      ['-a.example', 'https://-a.example'],
      ['localhost', 'http://localhost:80'],
      [`${'a.'.repeat(126)}aa`, `https://${'a.'.repeat(126)}aa`],
    ] as const
    for (const [id, origin] of pairs) assert.ok(!isRelyingParty({ id, origin }), origin)
  })
})

describe('a web address', () => {
  it('has https, or http on the machine itself', () => {
    const good = ['https://id.example.com', 'https://id.example.com/a?b=c', 'http://localhost:1/x']
    for (const text of [...good, 'http://127.0.0.1:8080', 'http://[::1]:8080/'])
      assert.ok(isWebAddress(text), text)
  })

  it('has no fragment, no user, no space and no other scheme', () => {
    const bad = [
      'https://a.example/#b',
      'https://u@a.example/',
      'https://a.example/ b',
      'a.example',
    ]
    for (const text of [...bad, 'ftp://a.example', 'http://a.example', 'javascript:alert(1)'])
      assert.ok(!isWebAddress(text), text)
  })
})
