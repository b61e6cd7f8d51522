import { bytesToBig } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { isCborMap, readCborAt, type CborMap } from './cbor.ts'

/** What an authenticator says of itself, its user and the credential: all of it is signed. */
export type AuthenticatorData = {
  /** SHA-256 of the relying party's id. */
  readonly relyingPartyHash: Uint8Array
  readonly userPresent: boolean
  readonly userVerified: boolean
  readonly backupEligible: boolean
  readonly backedUp: boolean
  readonly signCount: number
  /** At registration alone. */
  readonly attested: AttestedCredential | undefined
}
export type AttestedCredential = {
  readonly aaguid: Uint8Array
  readonly id: Uint8Array
  readonly publicKey: CborMap
}

/** An id of 1023 bytes, an RSA key of 4096 bits, and as much again for extensions. */
export const authenticatorDataBytesMax = 4096
/** Web Authentication, Level 3, section 7.1: longer ids are refused. */
const credentialIdBytesMax = 1023

/** Bits of the flags, section 6.1. Those that are kept for the future are signed and ignored. */
const flags = {
  userPresent: 0x01,
  userVerified: 0x04,
  backupEligible: 0x08,
  backedUp: 0x10,
  attested: 0x40,
  extensions: 0x80,
} as const
const headerBytes = 37

/**
 * Section 6.1. Extensions are read to find the end of the bytes, and mean nothing to us.
 * @throws Failure `bytes.malformed`
 */
export function readAuthenticatorData(bytes: Uint8Array): AuthenticatorData {
  if (bytes.length < headerBytes || bytes.length > authenticatorDataBytesMax)
    throw malformed('authenticator data')
  const has = (flag: number) => ((bytes[32] ?? 0) & flag) !== 0
  if (has(flags.backedUp) && !has(flags.backupEligible))
    throw malformed('no backup where none is possible')
  const { attested, end } = has(flags.attested)
    ? attestedAt(bytes, headerBytes)
    : { attested: undefined, end: headerBytes }
  const last = has(flags.extensions) ? mapAt(bytes, end).end : end
  if (last !== bytes.length) throw malformed('no further bytes')
  return {
    relyingPartyHash: bytes.slice(0, 32),
    userPresent: has(flags.userPresent),
    userVerified: has(flags.userVerified),
    backupEligible: has(flags.backupEligible),
    backedUp: has(flags.backedUp),
    signCount: Number(bytesToBig(bytes.subarray(33, headerBytes))),
    attested,
  }
}

/** Section 6.5.1: sixteen bytes of model, the id behind its length, the public key in CBOR. */
function attestedAt(bytes: Uint8Array, at: number): { attested: AttestedCredential; end: number } {
  const idAt = at + 18
  const idLength = Number(bytesToBig(bytes.subarray(at + 16, idAt)))
  const keyAt = idAt + idLength
  if (idLength === 0 || idLength > credentialIdBytesMax || keyAt > bytes.length)
    throw malformed('a credential id')
  const { map: publicKey, end } = mapAt(bytes, keyAt)
  const aaguid = bytes.slice(at, at + 16)
  return { attested: { aaguid, id: bytes.slice(idAt, keyAt), publicKey }, end }
}

function mapAt(bytes: Uint8Array, at: number): { map: CborMap; end: number } {
  const { value, end } = readCborAt(bytes, at)
  if (!isCborMap(value)) throw malformed('a map')
  return { map: value, end }
}

function malformed(expected: string): Failure {
  return new Failure('bytes.malformed', { expected })
}
