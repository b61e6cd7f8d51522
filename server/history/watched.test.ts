import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sha256 } from '@quorate/core/hash'
import { toHex, toUtf8 } from '@quorate/core/bytes'
import { Watched } from './watched.ts'

const addressOf = (name: string) => `0x${toHex(sha256(toUtf8(name))).slice(24)}`

describe('the addresses that a follower keeps in memory', () => {
  it('never deny one that is ours, and nearly always one that is not', () => {
    const watched = new Watched()
    const ours = Array.from({ length: 20_000 }, (_, i) => addressOf(`ours ${i}`))
    for (const address of ours) watched.add(address)
    for (const address of ours) watched.add(address)
    assert.ok(ours.every((address) => watched.mayHave(address)))
    const others = Array.from({ length: 20_000 }, (_, i) => addressOf(`others ${i}`))
    const taken = others.filter((address) => watched.mayHave(address))
    assert.ok(taken.length <= 2, `${taken.length} of 20,000`)
    assert.equal(watched.bytes, 4 * 65_536)
  })

  it('know an address in any case, and one that ends in nothing but zeroes', () => {
    const watched = new Watched()
    watched.add('0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed')
    assert.ok(watched.mayHave('0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed'))
    const zero = `0x${'0'.repeat(40)}`
    assert.ok(!watched.mayHave(zero))
    watched.add(zero)
    assert.ok(watched.mayHave(zero))
  })
})
