import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToBig } from '@quorate/core/bytes'
import type { SchnorrInstruction } from '@quorate/effects/instruction'

const { Point } = secp256k1

/** The 32 bytes by which BIP 341 knows an output of this key with these scripts. */
export function outputKeyOf(publicKey: Uint8Array, merkleRoot: Uint8Array): Uint8Array | undefined {
  const internal = publicKey.slice(1)
  const tweak = bytesToBig(schnorr.utils.taggedHash('TapTweak', internal, merkleRoot))
  if (tweak === 0n || tweak >= Point.Fn.ORDER) return undefined
  const output = schnorr.utils.lift_x(bytesToBig(internal)).add(Point.BASE.multiplyUnsafe(tweak))
  return output.is0() ? undefined : output.toBytes(true).slice(1)
}

/** @param publicKey of the key, compressed: the output key follows from it and the root, if any */
export function verifySchnorr(
  publicKey: Uint8Array,
  { merkleRoot, message }: SchnorrInstruction,
  signature: Uint8Array,
): boolean {
  const output = merkleRoot === undefined ? publicKey.slice(1) : outputKeyOf(publicKey, merkleRoot)
  return output !== undefined && schnorr.verify(signature, message, output)
}
