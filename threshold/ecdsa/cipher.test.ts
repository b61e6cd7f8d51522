import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { describe, it } from 'node:test'
import { toHex } from '@quorate/core/bytes'
import { expand, sessionRandom, tweakedHash } from './cipher.ts'
import { named, seeded } from './testing/parties.ts'

describe('the tweakable hash', () => {
  const key = named('key')
  const inputs = seeded('inputs')(16 * 6)

  it('is π(π(x) ⊕ tweak) ⊕ π(x), block by block', () => {
    for (const inputsPerIndex of [1, 3]) {
      const out = tweakedHash(key, inputs, { blocksEach: 4, inputsPerIndex })
      const expected = Array.from({ length: 24 }, (_, at) => {
        const input = Math.floor(at / 4)
        const inner = permuted(key, inputs.subarray(input * 16, input * 16 + 16))
        const tweak = new Uint8Array(16)
        tweak[0] = at % 4
        tweak[4] = Math.floor(input / inputsPerIndex)
        return xor(permuted(key, xor(inner, tweak)), inner)
      })
      assert.deepEqual(Buffer.from(out), Buffer.concat(expected))
    }
  })

  it('changes with the key, and with the index', () => {
    const same = new Uint8Array(64)
    const each = { blocksEach: 1, inputsPerIndex: 1 }
    const out = tweakedHash(key, same, each)
    assert.equal(new Set([0, 16, 32, 48].map((at) => toHex(out.slice(at, at + 16)))).size, 4)
    assert.notDeepEqual(tweakedHash(named('other'), same, each), out)
  })
})

describe('expansion', () => {
  it('tells apart what reads alike when put together', () => {
    const [a, b, ab] = ['a', 'b', 'ab'].map((text) => Buffer.from(text))
    assert.ok(a && b && ab)
    assert.notDeepEqual(expand(32, 'label', a, b), expand(32, 'label', ab))
    assert.notDeepEqual(expand(32, 'label', a, b), expand(32, 'label', b, a))
    assert.notDeepEqual(expand(32, 'label', a), expand(32, 'labela'))
  })

  it('goes on where it stopped, and begins elsewhere for another session', () => {
    const whole = sessionRandom(named('fresh'), named('one'))(64)
    const parts = sessionRandom(named('fresh'), named('one'))
    assert.deepEqual(Buffer.concat([parts(24), parts(40)]), Buffer.from(whole))
    assert.notDeepEqual(sessionRandom(named('fresh'), named('two'))(64), whole)
  })
})

function permuted(key: Uint8Array, block: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-128-ecb', key.subarray(0, 16), null).setAutoPadding(false)
  return cipher.update(block)
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Uint8Array.from(a, (byte, i) => byte ^ (b[i] ?? 0))
}
