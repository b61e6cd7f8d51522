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
  u64,
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
  /** BIP 340, as the output key of a script tree or as itself: at birth it is said which. */
  Schnorr: 3,
  /** Signs nothing: it is multiplied with points that are hashed to. */
  DH: 4,
} as const
export const curves = { secp256k1: 1, ed25519: 2, stark: 3 } as const
export type Scheme = keyof typeof schemes
export type Curve = keyof typeof curves
/** What requests call the one place that keys are kept in: the signers of the cluster together. */
export const storeId = 'signers'

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
  /** Does it sign as itself, and never as the output of a script tree? Of Schnorr keys alone. */
  untweaked: oneOf({ no: 0, yes: 1 }),
})
export type KeyTerms = Decoded<typeof keyTerms>

/**
 * What a key is that is born before anybody asks for it: of one organization, of one kind, and
 * nobody's. The request that it is bound to says all else, and the log says which request that was.
 */
export const pooledTerms = struct({
  organization: hash32,
  scheme: oneOf(schemes),
  curve: oneOf(curves),
  /** No step of a later time may bind it: then every signer may forget its share. */
  bindBefore: u64,
})
export type PooledTerms = Decoded<typeof pooledTerms>
/** How long a pooled key may wait: weeks of sign-ups, and no store that grows for ever. */
export const pooledMs = 30 * 24 * 60 * 60_000

/** What comes out of a key generation, whatever for. */
const made = {
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
}
const statement = struct({ format: tag('quorate/key/1'), terms: keyTerms, ...made })
export type KeyStatement = Decoded<typeof statement>
const pooledFormat = tag('quorate/pooled-key/1')
const pooledStatement = struct({ format: pooledFormat, terms: pooledTerms, ...made })
export type PooledStatement = Decoded<typeof pooledStatement>
/** The first bytes of a pooled key's statement, and of nothing else. */
const pooledPrefix = encode(pooledFormat, undefined)

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

/** The bytes that each signer signs of a key in the pool. */
export function encodePooledStatement(value: PooledStatement): Uint8Array {
  return encode(pooledStatement, value)
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

export type Signed = { readonly signed: Uint8Array; readonly signatures: readonly Uint8Array[] }
export type Birth = Signed &
  (
    | { readonly kind: 'asked'; readonly statement: KeyStatement }
    | { readonly kind: 'pooled'; readonly statement: PooledStatement }
  )

/**
 * Reads without believing: check with `isCertified`, or know that the log holds its hash.
 * @throws Failure `bytes.malformed`
 */
export function readBirth(encoded: Uint8Array): Birth {
  const { statement: signed, signatures } = decode(certificate, encoded)
  return equalBytes(signed.subarray(0, pooledPrefix.length), pooledPrefix)
    ? { kind: 'pooled', statement: decode(pooledStatement, signed), signed, signatures }
    : { kind: 'asked', statement: decode(statement, signed), signed, signatures }
}

/**
 * The same of a key that was born for one request.
 * @throws Failure `bytes.malformed`, of a pooled key too
 */
export function readKeyCertificate(
  encoded: Uint8Array,
): Signed & { readonly statement: KeyStatement } {
  const { statement: signed, signatures } = decode(certificate, encoded)
  return { statement: decode(statement, signed), signed, signatures }
}

/** Signed by all signers of this manifest, and about a key of its numbers? */
export function isCertified(encoded: Uint8Array, manifest: Manifest): boolean {
  const { statement: said, signed, signatures } = readBirth(encoded)
  const n = manifest.signers.length
  if (!equalBytes(said.manifest, manifest.hash) || said.threshold !== manifest.threshold)
    return false
  if (signatures.length !== n || said.publicShares.length !== n) return false
  return manifest.signers.every(({ identity }, i) =>
    verifyEd25519(identity, signed, signatures[i] ?? new Uint8Array()),
  )
}
