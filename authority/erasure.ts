import { equalBytes } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { encodeBody, type Body } from './body.ts'
import { matchOperation } from './operations.ts'
import {
  commitTo,
  decodePreimage,
  erasePayload,
  fieldsOfErased,
  type Commitments,
} from './request.ts'
import { encodeStep, type ErasedEvidence, type Evidence, type Item } from './step.ts'

/**
 * Personal data and signatures: what was signed commits to each member of a payload by itself, so
 * that a member can go and the signature stays. Only members that an operation names as erasable
 * can; no rule reads them, so that a step means the same with them and without.
 */
export function erased(evidence: Evidence): ErasedEvidence | undefined {
  const { salt, traces: _, ...beside } = evidence
  const names = erasableIn(evidence.preimage)
  if (salt === undefined || names.length === 0) return undefined
  const left = erasePayload(evidence.payload, salt, (name) => names.includes(name))
  const isAny = left.traces.some(({ kind }) => kind === 'erased')
  return isAny ? { ...beside, ...left } : undefined
}

/**
 * What evidence proves of a payload. Of an erased one that is `fields` alone: the hash and the
 * length of the whole are believed, since whoever voted has seen it.
 *
 * @returns nothing when members are missing that may not be
 * @throws Failure `json.malformed`
 */
export function provenOf(evidence: Evidence, said: Commitments): Commitments | undefined {
  if (evidence.salt !== undefined) return commitTo(evidence.payload, evidence.salt)
  const names = erasableIn(evidence.preimage)
  const isAllowed = evidence.traces.every(
    (trace) => trace.kind === 'kept' || names.includes(trace.name),
  )
  const fields = isAllowed ? fieldsOfErased(evidence) : undefined
  return fields && { ...said, fields }
}

/**
 * Was this said of him or by him? By what he signed or was asked for, what made him, and what names
 * him, such as the request for a wallet that is to be his.
 */
export function concerns(item: Item, { preimage }: Evidence, user: Uint8Array): boolean {
  const { operation, subjects } = item
  const author = decodePreimage(preimage).user
  return (
    (author !== undefined && equalBytes(author, user)) ||
    (operation.kind === 'user' && equalBytes(operation.user, user)) ||
    subjects.some(({ id }) => equalBytes(id, user))
  )
}

/** @returns the body without what is personal of this user, or nothing when there is nothing */
export function eraseIn(body: Body, user: Uint8Array): Uint8Array | undefined {
  let isChanged = false
  const evidence = body.evidence.map((beside, i) => {
    const item = body.step.items[i]
    const left = item && concerns(item, beside, user) ? erased(beside) : undefined
    isChanged ||= left !== undefined
    return left ?? beside
  })
  return isChanged ? encodeBody(encodeStep(body.step), evidence) : undefined
}

/** Nothing of a request that asks for nothing. */
function erasableIn(encoded: Uint8Array): readonly string[] {
  try {
    const { method, path } = decodePreimage(encoded)
    return matchOperation(method, path)?.operation.erasable ?? []
  } catch (error) {
    if (isFailure(error, 'bytes.malformed')) return []
    throw error
  }
}
