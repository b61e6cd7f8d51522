import { bytesToBig, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import type { Suite } from '../frost/suite.ts'
import type { Point } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'
import { hashToScalar, hashToSecret } from '../group/hash-to-scalar.ts'
import { taggedHash } from './tagged-hash.ts'

const group = groupOf('secp256k1')
const contextString = 'FROST-secp256k1-SHA256-TR-v1'

/**
 * FROST(secp256k1, SHA-256) of RFC 9591, section 6.5, with the challenge of BIP 340 for H2. ZcashFoundation
 * and noble have the same under the same context string. The public key is the one with an even y.
 */
export const taprootSuite: Suite = {
  group,
  h1: (message) => hashToScalar(group, { tag: toUtf8(`${contextString}rho`), message }),
  h3: (message) => hashToSecret(group, { tag: toUtf8(`${contextString}nonce`), message }),
  h4: (message) => sha256(toUtf8(`${contextString}msg`), message),
  h5: (message) => sha256(toUtf8(`${contextString}com`), message),
  challengeOf: (R, publicKey, message) => challengeOf(xOf(R), publicKey.subarray(1), message),
  isNegated: isOdd,
}

/** BIP 340, "Verification": e. Here, and nowhere else, the BIPs say to reduce. */
export function challengeOf(R: Uint8Array, publicKey: Uint8Array, message: Uint8Array): bigint {
  return group.mod(bytesToBig(taggedHash('BIP0340/challenge', R, publicKey, message)))
}

/** The x alone, by which BIP 340 writes points. */
export function xOf(point: Point): Uint8Array {
  return group.encode(point).slice(1)
}

export function isOdd(point: Point): boolean {
  return group.encode(point)[0] === 3
}
