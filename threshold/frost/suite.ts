import { concat, toUtf8 } from '@quorate/core/bytes'
import { sha512 } from '@quorate/core/hash'
import { groupOf } from '../group/groups.ts'

/** FROST(Ed25519, SHA-512), RFC 9591, section 6.1. */
export const group = groupOf('ed25519')
const contextString = 'FROST-ED25519-SHA512-v1'

export function h1(message: Uint8Array): bigint {
  return group.reduce(sha512(toUtf8(`${contextString}rho`), message))
}
/** Without the context string: the challenge of RFC 8032, so that any verifier takes the signature. */
export function h2(message: Uint8Array): bigint {
  return group.reduce(sha512(message))
}
export function h3(message: Uint8Array): bigint {
  return group.reduce(sha512(toUtf8(`${contextString}nonce`), message))
}
export function h4(message: Uint8Array): Uint8Array {
  return sha512(toUtf8(`${contextString}msg`), message)
}
export function h5(message: Uint8Array): Uint8Array {
  return sha512(toUtf8(`${contextString}com`), message)
}

/** Section 4.6: c = H2(R ‖ X ‖ m). */
export function challengeOf(R: Uint8Array, publicKey: Uint8Array, message: Uint8Array): bigint {
  return h2(concat(R, publicKey, message))
}
