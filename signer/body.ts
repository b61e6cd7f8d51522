import type { OpaqueStep } from '@quorate/authority/agreement/messages'
import { decodeBody, type Body } from '@quorate/authority/body'
import { commitTo, requestHash } from '@quorate/authority/request'
import { streamName } from '@quorate/authority/stream'
import { assertionsHash, type Evidence, type Item } from '@quorate/authority/step'
import { equalBytes } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { sha256 } from '@quorate/core/hash'
import type { Place } from './store/store.ts'

/** A step is looked at several times on its way; its bytes never change. */
const read = new WeakMap<Uint8Array, Body | undefined>()

/** The step with what lies beside it, or nothing when the bytes are not that. */
export function bodyOf({ bytes }: Pick<OpaqueStep, 'bytes'>): Body | undefined {
  if (!read.has(bytes)) read.set(bytes, parse(bytes))
  return read.get(bytes)
}

/**
 * Do the bytes say what stands beside them, for this stream? Evidence counts too: every byte of it
 * is fixed by the step's hash, so that nobody can turn a valid step into an invalid one, and with
 * it stop an organization, by bringing other evidence.
 */
export function isStepOf(place: Place, step: OpaqueStep): boolean {
  const body = bodyOf(step)
  if (body === undefined) return false
  const { step: said, hash, evidence } = body
  return (
    said.seq === step.seq &&
    said.time === step.time &&
    equalBytes(said.previous, step.previous) &&
    equalBytes(hash, step.hash) &&
    equalBytes(said.organization, place.organization) &&
    streamName(said.stream) === streamName(place.stream) &&
    evidence.length === said.items.length &&
    said.items.every((item, i) => isEvidenceOf(item, evidence[i]))
  )
}

function isEvidenceOf(item: Item, evidence: Evidence | undefined): boolean {
  if (evidence === undefined || item.cause.kind !== 'request') return false
  const committed = attempt(() => commitTo(evidence.payload, evidence.salt))
  return (
    committed !== undefined &&
    equalBytes(item.cause.hash, requestHash(evidence.preimage)) &&
    equalBytes(item.payload, committed.payload) &&
    equalBytes(item.fields, committed.fields) &&
    equalBytes(item.assertions, assertionsHash(evidence.assertions)) &&
    equalBytes(item.facts, sha256(evidence.facts))
  )
}

function parse(bytes: Uint8Array): Body | undefined {
  return attempt(() => decodeBody(bytes))
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (isFailure(error, 'bytes.malformed') || isFailure(error, 'json.malformed')) return undefined
    throw error
  }
}
