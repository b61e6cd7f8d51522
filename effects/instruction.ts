import {
  bytes,
  decode,
  encode,
  fixed,
  hash32,
  list,
  option,
  struct,
  tag,
  u8,
} from '@quorate/core/codec'
import type { Decoded } from '@quorate/core/codec'
import { Failure } from '@quorate/core/failure'

/** As much as a signed payload may hold. */
const messageBytesMax = 128 * 1024
/** RFC 9380, section 5.3.3: a longer tag would have to be hashed first. */
export const domainBytesMax = 255
/** A seed is a name, not a document. */
export const seedBytesMax = 1024

/**
 * What keys are given that do not sign bytes alone. The tag keeps an instruction of one kind from
 * being read as another's, whatever is in it.
 */
const schnorr = struct({
  format: tag('quorate/schnorr/1'),
  /** Of the output that the key signs as: 32 bytes, or empty without scripts. None: as itself. */
  merkleRoot: option(bytes(32)),
  message: bytes(messageBytesMax),
})
export type SchnorrInstruction = Decoded<typeof schnorr>

const derivation = struct({
  format: tag('quorate/derivation/1'),
  domain: bytes(domainBytesMax),
  seed: bytes(seedBytesMax),
})
export type DerivationInstruction = Decoded<typeof derivation>

export function encodeSchnorr(instruction: SchnorrInstruction): Uint8Array {
  return encode(schnorr, instruction)
}

/** @throws Failure `bytes.malformed` */
export function decodeSchnorr(encoded: Uint8Array): SchnorrInstruction {
  const instruction = decode(schnorr, encoded)
  const { length } = instruction.merkleRoot ?? new Uint8Array()
  if (length !== 0 && length !== 32)
    throw new Failure('bytes.malformed', { expected: 'a root of 32 bytes or none' })
  return instruction
}

export function encodeDerivation(instruction: DerivationInstruction): Uint8Array {
  return encode(derivation, instruction)
}

/** @throws Failure `bytes.malformed` */
export function decodeDerivation(encoded: Uint8Array): DerivationInstruction {
  return decode(derivation, encoded)
}

/** A point of secp256k1, and the two scalars that prove it. */
const partialSize = 97
const partiesMax = 16

const derived = struct({
  format: tag('quorate/derived/1'),
  /** The ceremony that it was made in. */
  sid: hash32,
  /** The key times the point that was hashed to, compressed. */
  point: fixed(33),
  /** Of each signer of the quorum, by its index, its public share, its part and the proof of it. */
  partials: list(
    struct({ signer: u8, publicShare: fixed(33), partial: fixed(partialSize) }),
    partiesMax,
    1,
  ),
})
/** A derivation as it is kept: whoever has the key's public key can check it. */
export type Derivation = Decoded<typeof derived>

export function encodeDerived(value: Derivation): Uint8Array {
  return encode(derived, value)
}

/** @throws Failure `bytes.malformed` */
export function decodeDerived(encoded: Uint8Array): Derivation {
  return decode(derived, encoded)
}
