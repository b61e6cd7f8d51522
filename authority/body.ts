import { bytes, decode, encode, list, struct } from '@quorate/core/codec'
import {
  decodeStep,
  evidenceCodec,
  itemsMax,
  stepBytesMax,
  stepHash,
  type Evidence,
  type Step,
} from './step.ts'

/** A step with what lies beside it: what signers keep and pass on. Only the step is hashed. */
const body = struct({ step: bytes(stepBytesMax), evidence: list(evidenceCodec, itemsMax, 1) })

export type Body = {
  readonly step: Step
  readonly hash: Uint8Array
  readonly evidence: readonly Evidence[]
}

/** @param step as `encodeStep` gives it */
export function encodeBody(step: Uint8Array, evidence: readonly Evidence[]): Uint8Array {
  return encode(body, { step, evidence })
}

/** A step is looked at many times on its way. Whoever holds its bytes never changes them. */
const decoded = new WeakMap<Uint8Array, Body>()

/** @throws Failure `bytes.malformed` */
export function decodeBody(encoded: Uint8Array): Body {
  const known = decoded.get(encoded)
  if (known !== undefined) return known
  const { step, evidence } = decode(body, encoded)
  const made = { step: decodeStep(step), hash: stepHash(step), evidence }
  decoded.set(encoded, made)
  return made
}
