import { equalBytes, toUtf8 } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { sha256 } from '@quorate/core/hash'
import { isAbout, type OpaqueStep, type Subject } from './agreement/messages.ts'
import { decodeBody, encodeBody } from './body.ts'
import { provenOf } from './erasure.ts'
import {
  assertionsHash,
  encodeStep,
  stepHash,
  type Evidence,
  type Item,
  type Step,
} from './step.ts'

/** A step and its evidence as agreement carries them. */
export function opaqueStep(step: Step, evidence: readonly Evidence[]): OpaqueStep {
  const encoded = encodeStep(step)
  const { seq, previous, time } = step
  return { seq, previous, hash: stepHash(encoded), time, bytes: encodeBody(encoded, evidence) }
}

/**
 * Do its bytes say what it says of itself, in this stream? The hash covers the step alone, so all
 * the evidence must be what the step commits to: else two bodies of one hash could be judged
 * differently, and honest signers would part.
 */
export function isOpaqueStep(subject: Subject, opaque: OpaqueStep): boolean {
  try {
    const { step, hash, evidence } = decodeBody(opaque.bytes)
    return (
      isAbout(step, subject) &&
      step.seq === opaque.seq &&
      step.time === opaque.time &&
      equalBytes(step.previous, opaque.previous) &&
      equalBytes(hash, opaque.hash) &&
      isWhole(step.items, evidence)
    )
  } catch (error) {
    if (isFailure(error, 'bytes.malformed') || isFailure(error, 'json.malformed')) return false
    throw error
  }
}

/** Whether evidence is that of its items: as costly as the members of its payload are many. */
const whole = new WeakMap<readonly Evidence[], readonly Item[]>()

function isWhole(items: readonly Item[], evidence: readonly Evidence[]): boolean {
  if (whole.get(evidence) === items) return true
  const isSo =
    evidence.length === items.length && items.every((item, i) => isEvidenceOf(item, evidence[i]))
  if (isSo) whole.set(evidence, items)
  return isSo
}

function isEvidenceOf({ cause, payload, fields, assertions, facts }: Item, beside?: Evidence) {
  if (beside === undefined || !isCausedBy(cause, beside)) return false
  const proven = provenOf(beside, { payload, payloadLength: 0, fields })
  return (
    proven !== undefined &&
    equalBytes(payload, proven.payload) &&
    equalBytes(fields, proven.fields) &&
    equalBytes(assertions, assertionsHash(beside.assertions)) &&
    equalBytes(facts, sha256(beside.facts))
  )
}

/** The body of a completion that has lost members has another hash: its `fields` are proved. */
function isCausedBy(cause: Item['cause'], { preimage, payload, salt }: Evidence): boolean {
  if (cause.kind === 'request') return equalBytes(cause.hash, sha256(preimage))
  if (cause.kind === 'rule') return equalBytes(cause.request, sha256(preimage))
  return (
    cause.kind === 'completion' &&
    equalBytes(cause.preimage, sha256(preimage)) &&
    (salt === undefined || equalBytes(cause.body, sha256(toUtf8(payload))))
  )
}
