import { equalBytes } from '@quorate/core/bytes'
import { erased, provenOf } from './erasure.ts'
import { matchOperation, type OperationName } from './operations.ts'
import { decodePreimage, requestHash } from './request.ts'
import { decodeEvidence, encodeEvidence, type Evidence } from './step.ts'

/** A request of before, as a later one rests on it. */
export type Original = {
  readonly request: Uint8Array
  readonly operation: OperationName
  /** Without its erasable members, of which a fact could never be rid again. */
  readonly payload: string
}

/** What was signed, and nothing beside: whoever rebuilds its effect needs no more. */
export function encodeOriginal(evidence: Evidence): Uint8Array {
  const left = erased(evidence) ?? evidence
  return encodeEvidence({ ...left, assertions: [], facts: new Uint8Array() })
}

/**
 * @returns nothing where the payload is not the one that was committed to
 * @throws Failure `bytes.malformed`, `json.malformed`
 */
export function readOriginal(encoded: Uint8Array): Original | undefined {
  const evidence = decodeEvidence(encoded)
  const preimage = decodePreimage(evidence.preimage)
  const match = matchOperation(preimage.method, preimage.path)
  const proven = provenOf(evidence, preimage)
  const isWhole =
    proven !== undefined &&
    equalBytes(proven.payload, preimage.payload) &&
    equalBytes(proven.fields, preimage.fields) &&
    proven.payloadLength === preimage.payloadLength
  if (match === undefined || !isWhole) return undefined
  const { payload } = evidence
  return { request: requestHash(evidence.preimage), operation: match.name, payload }
}
