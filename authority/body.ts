import { toBase64url } from '@quorate/core/bytes'
import { bytes, decode, encode, list, struct } from '@quorate/core/codec'
import { sha256 } from '@quorate/core/hash'
import { Kept } from '@quorate/core/kept'
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
/** As many streams as are at work at once; larger ones are rare, and are decoded again. */
const recentMax = 256
const recentBytesMax = 16 * 1024
/** It also arrives more than once: to be voted on, and with its certificate. By the hash of its bytes. */
const recent = new Kept<Body>(recentMax)

/** @throws Failure `bytes.malformed` */
export function decodeBody(encoded: Uint8Array): Body {
  const known = decoded.get(encoded) ?? recentBody(encoded)
  decoded.set(encoded, known)
  return known
}

function recentBody(encoded: Uint8Array): Body {
  if (encoded.length > recentBytesMax) return bodyIn(encoded)
  const name = toBase64url(sha256(encoded))
  const known = recent.get(name)
  if (known !== undefined) return known
  const made = bodyIn(encoded)
  recent.put(name, made)
  return made
}

function bodyIn(encoded: Uint8Array): Body {
  const { step, evidence } = decode(body, encoded)
  return { step: decodeStep(step), hash: stepHash(step), evidence }
}
