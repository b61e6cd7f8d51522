import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { bitAt, multiplyBits, parity, toWords, xorInto } from './words.ts'

describe('bit matrices', () => {
  it('adds up the rows a line of the matrix selects', () => {
    const rows = toWords(randomBytes(768 * 16))
    const matrix = randomBytes(4 * 64)
    const bits = toWords(matrix)
    const product = multiplyBits(matrix, rows, 512)
    for (let line = 0; line < 4; line++) {
      const sum = new Uint32Array(4)
      for (let row = 0; row < 512; row++)
        xorInto(sum, 0, rows, row * 4, 4, -bitAt(bits, line * 512 + row))
      assert.deepEqual(product.slice(line * 4, line * 4 + 4), sum)
    }
  })

  it('knows the parity of a word', () => {
    assert.equal(parity(0), 0)
    assert.equal(parity(0x80000001), 0)
    assert.equal(parity(0x80000000 | 0), 1)
    assert.equal(parity(7), 1)
  })
})
