import { bytesToBig, fromHex } from '@quorate/core/bytes'

/**
 * The encodings of y (sign bit apart) of the points whose order divides eight: with such a key,
 * one signature verifies under many messages. Their canonical encodings only; the others are
 * refused as y >= p.
 */
const smallOrderY = new Set([
  0n,
  1n,
  2n ** 255n - 20n,
  bytesToBig(fromHex('7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7')),
  bytesToBig(fromHex('05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826')),
])

/** Of a point of Ed25519 in 32 bytes: in its one encoding, and of no order that divides eight. */
export function isFullOrder(encoded: Uint8Array): boolean {
  const y = bytesToBig(encoded.toReversed()) & (2n ** 255n - 1n)
  return y < 2n ** 255n - 19n && !smallOrderY.has(y)
}
