import { hashOf } from './hash.ts'
import { toUtf8 } from './bytes.ts'

/**
 * Ids certify themselves: the id of whatever a request creates is a hash of that request, what it
 * is, and which of its kind. Inside (log, certificates, sessions) the full 32 bytes are used; the
 * text with its 130 bits is a name on the wire.
 */
export const idPrefixes = {
  organization: 'or',
  user: 'us',
  credential: 'cr',
  token: 'to',
  recovery: 'rec',
  freeze: 'frz',
  permission: 'pm',
  assignment: 'as',
  key: 'key',
  wallet: 'wa',
  signature: 'sig',
  transfer: 'xfr',
  transaction: 'tx',
  policy: 'plc',
  approval: 'ap',
  feeSponsor: 'fs',
  webhook: 'wh',
  /** One attempt to tell a receiver of something. */
  webhookEvent: 'whe',
  evaluation: 'plce',
  /** As the documented API has it: credentials bear the same prefix. */
  change: 'cr',
} as const
export type IdKind = keyof typeof idPrefixes

/** RFC 4648 section 6, in lower case. */
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
const nameForm = /^[a-z]{2,5}-[a-z2-7]{5}-[a-z2-7]{5}-[a-z2-7]{16}$/

/** @param requestHash SHA-256 of the creating request's pre-image */
export function idOf(requestHash: Uint8Array, kind: IdKind, index = 0): Uint8Array {
  return hashOf(
    'quorate/id/1',
    requestHash,
    toUtf8(idPrefixes[kind]),
    new Uint8Array([index >>> 24, index >>> 16, index >>> 8, index]),
  )
}

/** The wire's name of a full id: prefix, then 26 characters as 5-5-16. */
export function nameOf(kind: IdKind, id: Uint8Array): string {
  let bits = 0n
  for (const byte of id.subarray(0, 17)) bits = (bits << 8n) | BigInt(byte)
  bits >>= 6n
  const digits = Array.from(
    { length: 26 },
    (_, i) => alphabet[Number((bits >> BigInt(5 * (25 - i))) & 31n)],
  )
  const text = digits.join('')
  return `${idPrefixes[kind]}-${text.slice(0, 5)}-${text.slice(5, 10)}-${text.slice(10)}`
}

export function isName(kind: IdKind, text: string): boolean {
  return text.startsWith(`${idPrefixes[kind]}-`) && nameForm.test(text)
}

/** The name a request's first creation of a kind will bear. */
export function createdName(requestHash: Uint8Array, kind: IdKind, index = 0): string {
  return nameOf(kind, idOf(requestHash, kind, index))
}
