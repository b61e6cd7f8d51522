import {
  bytes,
  decode,
  encode,
  fixed,
  hash32,
  list,
  oneOf,
  option,
  struct,
  tag,
  u8,
} from '@quorate/core/codec'
import type { Decoded } from '@quorate/core/codec'
import { sha256 } from '@quorate/core/hash'
import { equalBytes } from '@quorate/core/bytes'
import { verifyEd25519 } from './ed25519.ts'
import { signersMax, type Manifest } from './manifest.ts'

/**
 * A key's birth certificate: what it is, whose, by which request, and what came out of the key
 * generation, signed by all n signers. A key without n signatures is no key. Numbers are never
 * reused: they enter every later proof about the key.
 */
export const schemes = {
  ECDSA: 1,
  EdDSA: 2,
  /** BIP 340 as the output key of a script tree alone: a key that signs untweaked is another one. */
  Schnorr: 3,
  /** Signs nothing: it is multiplied with points that are hashed to. */
  DH: 4,
} as const
export const curves = { secp256k1: 1, ed25519: 2, stark: 3 } as const
export type Scheme = keyof typeof schemes
export type Curve = keyof typeof curves

/**
 * May keys be derived from such a one? Only on the curve that BIP 32 knows: for Ed25519 there is no
 * standard that derives without the private key. What DH keys give is no signature.
 */
export function mayBeMaster(key: { readonly scheme: string; readonly curve: string }): boolean {
  return key.curve === 'secp256k1' && (key.scheme === 'ECDSA' || key.scheme === 'Schnorr')
}

/** What the creating request asks for: known, and judged by every signer, before any share is. */
export const keyTerms = struct({
  organization: hash32,
  key: hash32,
  request: hash32,
  /** An end user; empty for a key of the organization. */
  owner: option(hash32),
  scheme: oneOf(schemes),
  curve: oneOf(curves),
  /** May it sign bytes whose effect nobody can tell? */
  raw: oneOf({ no: 0, yes: 1 }),
  /** May keys be derived from it, by BIP 32? */
  master: oneOf({ no: 0, yes: 1 }),
})
export type KeyTerms = Decoded<typeof keyTerms>

const statement = struct({
  format: tag('quorate/key/1'),
  terms: keyTerms,
  manifest: hash32,
  threshold: u8,
  /** Compressed: 33 bytes on secp256k1 and stark, 32 on ed25519. */
  publicKey: bytes(33),
  /** Of each signer's share, in index order. */
  publicShares: list(bytes(33), signersMax, 2),
  /** Of BIP 32, from the randomness of every signer: none of them chose it. */
  chainCode: hash32,
  /** Over all broadcasts of the key generation. */
  transcript: hash32,
})
export type KeyStatement = Decoded<typeof statement>

const certificate = struct({
  statement: bytes(2048),
  /** Ed25519 by every signer's identity key, in index order. */
  signatures: list(fixed(64), signersMax, 2),
})
export const keyCertificateBytesMax = 4096

/** The bytes that each signer signs. */
export function encodeKeyStatement(value: KeyStatement): Uint8Array {
  return encode(statement, value)
}

/** @param signatures one per signer, in index order */
export function sealKeyCertificate(
  signed: Uint8Array,
  signatures: readonly Uint8Array[],
): Uint8Array {
  return encode(certificate, { statement: signed, signatures })
}

/** The name under which a share is kept and the log speaks of the certificate. */
export function keyStatementHash(signed: Uint8Array): Uint8Array {
  return sha256(signed)
}

/**
 * Reads without believing: check with `isCertified`, or know that the log holds its hash.
 * @throws Failure `bytes.malformed`
 */
export function readKeyCertificate(encoded: Uint8Array): {
  readonly statement: KeyStatement
  readonly signed: Uint8Array
  readonly signatures: readonly Uint8Array[]
} {
  const { statement: signed, signatures } = decode(certificate, encoded)
  return { statement: decode(statement, signed), signed, signatures }
}

/** Signed by all signers of this manifest, and about a key of its numbers? */
export function isCertified(encoded: Uint8Array, manifest: Manifest): boolean {
  const { statement: said, signed, signatures } = readKeyCertificate(encoded)
  const n = manifest.signers.length
  if (!equalBytes(said.manifest, manifest.hash) || said.threshold !== manifest.threshold)
    return false
  if (signatures.length !== n || said.publicShares.length !== n) return false
  return manifest.signers.every(({ identity }, i) =>
    verifyEd25519(identity, signed, signatures[i] ?? new Uint8Array()),
  )
}
