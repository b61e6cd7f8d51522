import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex, toUtf8 } from './bytes.ts'
import { sha256 } from './hash.ts'
import { wordList } from './word-list.ts'
import { fingerprintWords } from './words.ts'

describe('the words of a fingerprint', () => {
  it('are out of the very list that BIP 39 publishes', () => {
    // SHA-256 of bip-0039/english.txt, one word a line.
    assert.equal(
      toHex(sha256(toUtf8(`${wordList.join('\n')}\n`))),
      '2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda',
    )
  })

  it('are the first 66 bits, eleven to a word', () => {
    const zero = new Uint8Array(32)
    assert.equal(fingerprintWords(zero).join(' '), 'abandon '.repeat(6).trim())
    assert.equal(fingerprintWords(zero.fill(255)).join(' '), 'zoo '.repeat(6).trim())
    // 1, 2, 4, 8, 16, 32 in eleven bits each: 00000000001 00000000010 00000000100 …
    const bits = [1, 2, 4, 8, 16, 32].map((n) => n.toString(2).padStart(11, '0')).join('')
    const counted = new Uint8Array(32)
    for (let i = 0; i < 9; i++)
      counted[i] = Number.parseInt(bits.slice(8 * i, 8 * i + 8).padEnd(8, '0'), 2)
    assert.deepEqual(
      fingerprintWords(counted),
      [1, 2, 4, 8, 16, 32].map((n) => wordList[n]),
    )
  })

  it('change with any of those bits', () => {
    const told = new Set<string>()
    for (let bit = 0; bit < 66; bit++) {
      const fingerprint = new Uint8Array(32)
      fingerprint[bit >> 3] = 0x80 >> (bit & 7)
      told.add(fingerprintWords(fingerprint).join(' '))
    }
    assert.equal(told.size, 66)
  })

  it('are of a whole fingerprint and of nothing shorter', () => {
    assert.throws(() => fingerprintWords(new Uint8Array(31)), TypeError)
  })
})
