import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isFailure } from '@quorate/core/failure'
import { parseAddress } from './address.ts'

const text = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'

describe('an EVM address', () => {
  it('is read in either case and written with its checksum', () => {
    const capitals = `0x${text.slice(2).toUpperCase()}`
    for (const form of [text, text.toLowerCase(), capitals]) assert.equal(parseAddress(form), text)
  })

  it('is refused with a wrong checksum, another length, or as a name', () => {
    for (const bad of [text.replace('aA', 'AA'), text.slice(0, -1), `${text}0`, 'vitalik.eth', ''])
      assert.throws(
        () => parseAddress(bad),
        (error) => isFailure(error, 'address.malformed'),
      )
  })
})
