import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex, toUtf8 } from '@quorate/core/bytes'
import { hashMessage } from 'viem'
import { personalDigest } from './messages.ts'

describe('EIP-191 personal message', () => {
  it('has the digest that is known for "hello world"', () => {
    // The value viem, ethers and geth's accounts.TextHash all document for this text.
    const known = 'd9eba16ed0ecae432b71fe008c98cc872bb4cc214d3220a36f365326cf807d68'
    assert.equal(toHex(personalDigest(toUtf8('hello world'))), known)
  })

  it('counts bytes, not characters, as viem does', () => {
    for (const text of ['', 'ü', '日本', 'x'.repeat(1000)])
      assert.equal(`0x${toHex(personalDigest(toUtf8(text)))}`, hashMessage(text))
  })
})
