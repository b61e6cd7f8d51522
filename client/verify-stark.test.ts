import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { getPublicKey, Point, sign } from '@scure/starknet'
import { bigToBytes, bytesToBig, concat, fromHex } from '@quorate/core/bytes'
import { verifyStark } from './verify-stark.ts'

const bound = 2n ** 251n
const order = 0x800000000000010ffffffffffffffffb781126dcae7b2321e66a241adc64d2fn
const secret = '3c1e9550e66958296d11b60f8e8e7a7ad990d07fa65d5f7652c4a6c87d4e3cc'
const publicKey = getPublicKey(secret, true)
const hash = fromHex('0397e76d1667c4454bfb83514e120583af836f8e32a516765497823eabe16a3f')

describe('a signature on the Stark curve', () => {
  it('holds as StarkWare made it, and as scure-starknet makes it', () => {
    // starkex-resources, signature_test_data.json
    const r = '0173fd03d8b008ee7432977ac27d1e9d1a1f6c98b1a2f05fa84a21c84c44e882'
    const s = '04b6d75385aed025aa222f28a0adc6d58db78ff17e51c3f59e259b131cd5a1cc'
    assert.ok(verifyStark(publicKey, hash, concat(fromHex(r), fromHex(s))))
    assert.ok(verifyStark(publicKey, hash, signed(hash)))
  })

  it('holds for nothing else', () => {
    const signature = signed(hash)
    for (let at = 0; at < 64; at += 7) {
      const changed = signature.with(at, (signature[at] ?? 0) ^ 1)
      assert.ok(!verifyStark(publicKey, hash, changed))
    }
    assert.ok(!verifyStark(publicKey, hash.with(31, 0), signature))
    assert.ok(!verifyStark(getPublicKey('2', true), hash, signature))
  })

  it('has its numbers in range', () => {
    const signature = signed(hash)
    const [r, s] = [signature.slice(0, 32), signature.slice(32)]
    for (const wrong of [0n, bound, order, 2n ** 256n - 1n])
      assert.ok(!verifyStark(publicKey, hash, concat(bigToBytes(wrong, 32), s)))
    for (const wrong of [0n, order, 2n ** 256n - 1n])
      assert.ok(!verifyStark(publicKey, hash, concat(r, bigToBytes(wrong, 32))))
    for (const inverse of [bound - 3n, bound + 3n]) {
      const { key, r, s } = keyFor(inverse)
      assert.equal(verifyStark(key, hash, concat(r, s)), inverse < bound)
    }
    // The same hash modulo the order, but for the bound.
    assert.ok(!verifyStark(publicKey, bigToBytes(bytesToBig(hash) + order, 32), signature))
  })
})

/** Whoever may choose the key last can have any s: Q = r⁻¹·(s·R − z·G). */
function keyFor(inverse: bigint) {
  const { BASE, Fn } = Point
  const [R, s] = [BASE.multiply(77n), Fn.inv(inverse)]
  const r = Fn.create(R.toAffine().x)
  const difference = R.multiply(s).subtract(BASE.multiply(Fn.create(bytesToBig(hash))))
  const key = difference.multiply(Fn.inv(r)).toBytes(true)
  return { key, r: bigToBytes(r, 32), s: bigToBytes(s, 32) }
}

function signed(of: Uint8Array): Uint8Array {
  return sign(of, secret).toBytes('compact')
}
