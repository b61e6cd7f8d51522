import assert from 'node:assert/strict'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { hmacSha256, sha256, sha512 } from './hash.ts'

const random = (size: number) => new Uint8Array(randomBytes(size))

describe('hashes', () => {
  it('are those of OpenSSL, of any number of parts', () => {
    for (const sizes of [[], [0], [1], [55, 0, 9], [64, 64], [1_000, 1, 7, 300]]) {
      const parts = sizes.map(random)
      for (const [name, made] of [
        ['sha256', sha256(...parts)],
        ['sha512', sha512(...parts)],
      ] as const)
        assert.deepEqual(
          made,
          new Uint8Array(createHash(name).update(Buffer.concat(parts)).digest()),
        )
    }
  })

  it('make the authentication code that OpenSSL makes, with keys of all lengths', () => {
    for (const length of [0, 1, 32, 63, 64, 65, 200])
      for (const size of [0, 1, 64, 500]) {
        const [key, data] = [random(length), random(size)]
        const expected = createHmac('sha256', key).update(data).digest()
        assert.deepEqual(hmacSha256(key, data), new Uint8Array(expected))
      }
  })
})
