import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bigToBytes, bytesToBig } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import type { Point } from '../group/group.ts'
import { combineEcdsa, type Combined } from './combine.ts'
import { curveOf, signatureX } from './curve.ts'
import { messagesOf } from './messages.ts'

const curve = curveOf('stark')
const { group } = curve
/** StarkWare's bound of digest, r and the inverse of s. */
const bound = 2n ** 251n

// Nobody waits for such numbers by chance, so they are made: a point of a given x, and then the key
// under which the signature would be good.
describe('what StarkWare takes for no signature', () => {
  const below = pointWithX(bound, -1n)
  const above = pointWithX(bound, 1n)

  it('is one with an r of 2^251 or more', () => {
    assert.deepEqual(signatureX(curve, below), group.encode(below).slice(1))
    assert.equal(signatureX(curve, above), undefined)
    assert.ok(bytesToBig(group.encode(above).slice(1)) >= bound)
    assert.ok(combined({ point: below, inverse: 3n }).ok)
    assert.deepEqual(combined({ point: above, inverse: 3n }), refused)
  })

  it('is one with an s whose inverse is 2^251 or more', () => {
    assert.ok(combined({ point: below, inverse: bound - 1n }).ok)
    for (const inverse of [bound, bound + 5n, group.order - 1n])
      assert.deepEqual(combined({ point: below, inverse }), refused)
  })

  it('is one of a digest of 2^251 or more', () => {
    assert.ok(combined({ point: below, inverse: 3n, digest: bound - 1n }).ok)
    assert.deepEqual(combined({ point: below, inverse: 3n, digest: bound }), refused)
  })
})

const refused = { ok: false, reason: 'signature', culprits: [] }

/** The first point on the curve from x on, up or down. */
function pointWithX(start: bigint, step: 1n | -1n): Point {
  for (let x = start + (step < 0n ? step : 0n); ; x += step) {
    const point = group.decode(Uint8Array.of(2, ...bigToBytes(x, 32)))
    if (point !== undefined) return point
  }
}

/** What comes of two parts that make s, whose inverse is given, under the key that fits. */
function combined(input: { point: Point; inverse: bigint; digest?: bigint }): Combined {
  const { point, inverse, digest: z = 5n } = input
  const s = group.invertPublic(inverse)
  const r = group.mod(bytesToBig(group.encode(point).slice(1)))
  const difference = group.add(group.multiplyPublic(point, s), group.multiplyBase(group.mod(-z)))
  const publicKey = group.encode(group.multiplyPublic(difference, group.invertPublic(r)))
  const view = new Uint8Array(32)
  const noncePoint = group.toWire(point)
  const part = (numerator: bigint, denominator: bigint): Uint8Array =>
    encode(messagesOf('stark').closing, {
      noncePoint,
      view,
      numerator: group.scalarToBytes(numerator),
      denominator: group.scalarToBytes(denominator),
    })
  const round3 = new Map([
    [1, part(group.mod(s - 7n), 2n)],
    [2, part(7n, group.order - 1n)],
  ])
  return combineEcdsa({ curve: 'stark', publicKey, digest: bigToBytes(z, 32), round3 })
}
