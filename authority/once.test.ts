import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, it } from 'node:test'
import { toUtf8 } from '@quorate/core/bytes'
import { rawPublicKey, signEd25519, signingWith, verifyEd25519 } from './ed25519.ts'
import { verifiedOnce } from './once.ts'

describe('a signature that was verified before', () => {
  const [own, other] = [0, 1].map(() => generateKeyPairSync('ed25519'))
  assert.ok(own && other)
  const message = toUtf8('pay nobody')
  const signature = new Uint8Array(sign(null, message, own.privateKey))
  const changed = signature.map((byte, i) => (i === 40 ? byte ^ 1 : byte))
  const key = rawPublicKey(own.publicKey)

  it('is good again, and makes nothing else good', () => {
    for (const _ of [1, 2]) {
      assert.equal(verifyEd25519(key, message, signature), true)
      assert.equal(verifyEd25519(rawPublicKey(other.publicKey), message, signature), false)
      assert.equal(verifyEd25519(key, toUtf8('pay nobodx'), signature), false)
      assert.equal(verifyEd25519(key, message, changed), false)
      assert.equal(verifyEd25519(key, message, new Uint8Array(64)), false)
    }
  })

  it('is verified once, by its scheme, and a bad one each time', () => {
    let asked = 0
    const verify = (isGood: boolean) => () => {
      asked++
      return isGood
    }
    const parts = [toUtf8('key'), toUtf8('message'), toUtf8('signature')] as const
    for (const _ of [1, 2]) assert.equal(verifiedOnce('bad', parts, verify(false)), false)
    assert.equal(asked, 2)
    for (const _ of [1, 2]) assert.equal(verifiedOnce('good', parts, verify(true)), true)
    assert.equal(asked, 3)
    assert.equal(verifiedOnce('other', parts, verify(false)), false)
  })

  it('is good to whoever made it, for that message and key alone', () => {
    const said = toUtf8('said by itself')
    const made = signingWith(key, (message) => signEd25519(own.privateKey, message))(said)
    assert.deepEqual(made, new Uint8Array(sign(null, said, own.privateKey)))
    assert.ok(verifyEd25519(key, said, made))
    assert.ok(!verifyEd25519(key, message, made))
    assert.ok(!verifyEd25519(rawPublicKey(other.publicKey), said, made))
  })

  it('does not run together with its neighbours', () => {
    const [a, b, c] = ['a', 'b', 'c'].map(toUtf8)
    assert.ok(a && b && c)
    assert.ok(verifiedOnce('apart', [toUtf8('ab'), c, a], () => true))
    assert.ok(!verifiedOnce('apart', [a, toUtf8('bc'), a], () => false))
  })
})
