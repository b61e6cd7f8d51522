import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { childIndexMax, childLevelsMax, readChildPath, writeChildPath } from './child-path.ts'

const deepest = ['m', ...Array.from({ length: childLevelsMax }, () => childIndexMax)].join('/')

describe('the path of a derived key', () => {
  it('is read and written as one and the same text', () => {
    for (const text of ['m/0', 'm/7', 'm/44/60/0/0/5', `m/${childIndexMax}`, deepest]) {
      const read = readChildPath(text)
      assert.ok(read.ok, text)
      assert.equal(writeChildPath(read.path), text)
    }
  })

  it('is no hardened one, and the answer says why', () => {
    for (const text of ["m/0'", 'm/44h/0', 'm/1H', "m/44'/60'/0'/0/0"]) {
      const read = readChildPath(text)
      assert.ok(!read.ok)
      assert.match(read.reason, /hardened: that takes the whole private key, which nobody has/)
    }
  })

  it('has one spelling, and bounds', () => {
    for (const text of [
      ...['', 'm', 'm/', '/0', '0', '0/1', 'M/0', 'm//0', 'm/0/', ' m/0', 'm/0 ', 'm/00', 'm/01'],
      ...['m/-1', 'm/+1', 'm/1.0', 'm/1e3', 'm/0x1', 'm/a', 'm/１', `m/${childIndexMax + 1}`],
      ...['m/9999999999', 'm/99999999999', `${deepest}/0`, 'x'.repeat(1_000_000)],
    ])
      assert.equal(readChildPath(text).ok, false, text.slice(0, 200))
  })
})
