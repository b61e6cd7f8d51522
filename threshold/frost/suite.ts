import { concat, toUtf8 } from '@quorate/core/bytes'
import { sha512 } from '@quorate/core/hash'
import type { Group, Point } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'
import type { Scalar } from '../kernel/numbers.ts'

/** A ciphersuite of RFC 9591, section 6: the group and the hash functions of section 3.2. */
export type Suite = {
  readonly group: Group
  readonly h1: (message: Uint8Array) => bigint
  /** Of a secret, which it is given and makes. */
  readonly h3: (message: Uint8Array) => Scalar
  readonly h4: (message: Uint8Array) => Uint8Array
  readonly h5: (message: Uint8Array) => Uint8Array
  /** c of section 4.6, which is H2 over R, X and m. */
  readonly challengeOf: (R: Point, publicKey: Uint8Array, message: Uint8Array) => bigint
  /** BIP 340 tells the two points of one x by convention: where R is the other, −R is meant. */
  readonly isNegated: (R: Point) => boolean
}

const group = groupOf('ed25519')
const contextString = 'FROST-ED25519-SHA512-v1'

/** FROST(Ed25519, SHA-512), section 6.1. */
export const ed25519Suite: Suite = {
  group,
  h1: (message) => group.reduce(sha512(toUtf8(`${contextString}rho`), message)),
  h3(message) {
    const wide = sha512(toUtf8(`${contextString}nonce`), message)
    const nonce = group.secrets.reduce(wide)
    wide.fill(0)
    return nonce
  },
  h4: (message) => sha512(toUtf8(`${contextString}msg`), message),
  h5: (message) => sha512(toUtf8(`${contextString}com`), message),
  // H2 without the context string: the challenge of RFC 8032, so that any verifier takes the signature.
  challengeOf: (R, publicKey, message) =>
    group.reduce(sha512(concat(group.encode(R), publicKey, message))),
  isNegated: () => false,
}
