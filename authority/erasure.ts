import { isFailure } from '@quorate/core/failure'
import { encodeBody, type Body } from './body.ts'
import { matchOperation } from './operations.ts'
import { erasureTable, keyTable, walletTable } from './records.ts'
import {
  commitTo,
  decodePreimage,
  erasePayload,
  fieldsOfErased,
  type Commitments,
} from './request.ts'
import type { RootRecords } from './standing.ts'
import {
  encodeStep,
  type ErasedEvidence,
  type Evidence,
  type Item,
  type ItemOperation,
} from './step.ts'

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
  if (evidence.salt !== undefined) return committed(evidence, evidence.salt)
  const names = erasableIn(evidence.preimage)
  const isAllowed = evidence.traces.every(
    (trace) => trace.kind === 'kept' || names.includes(trace.name),
  )
  const fields = isAllowed ? fieldsOfErased(evidence) : undefined
  return fields && { ...said, fields }
}

/** Evidence is looked at several times on its way, and never changes. */
const known = new WeakMap<Evidence, Commitments>()

function committed(evidence: Evidence, salt: Uint8Array): Commitments {
  const found = known.get(evidence) ?? commitTo(evidence.payload, salt)
  known.set(evidence, found)
  return found
}

/**
 * What is left of a body once everybody is erased whom these records call so. The same function
 * sweeps what is kept when an erasure comes into force and trims what arrives later.
 *
 * @param records the newest that are known
 * @returns nothing when there is nothing to take out
 */
export function eraseIn(body: Body, records: RootRecords): Uint8Array | undefined {
  let isChanged = false
  const evidence = body.evidence.map((beside, i) => {
    const item = body.step.items[i]
    // Most operations have no such members, and need no look into the records.
    const isPersonal = erasableIn(beside.preimage).length > 0
    const left =
      item && isPersonal && concernsErased(item, beside, records) ? erased(beside) : undefined
    isChanged ||= left !== undefined
    return left ?? beside
  })
  return isChanged ? encodeBody(encodeStep(body.step), evidence) : undefined
}

/** Was this said of or by somebody who is erased? */
export function concernsErased(item: Item, beside: Evidence, records: RootRecords): boolean {
  return concerned(item, beside, records).some(
    (user) => records.find(erasureTable, user) !== undefined,
  )
}

/**
 * Everybody whom words of a request may be about: its author, whoever it makes or names, such as
 * the one whose a wallet is to be, and the owner of the key or wallet that it makes or renames.
 */
function concerned(
  { operation, subjects }: Item,
  { preimage }: Evidence,
  records: RootRecords,
): readonly Uint8Array[] {
  const made = 'user' in operation ? operation.user : undefined
  const key = keyNamedIn(operation, records)
  const owner = key && records.find(keyTable, key)?.owner
  const one = [decodePreimage(preimage).user, made, owner]
  return [...one.filter((id) => id !== undefined), ...subjects.map(({ id }) => id)]
}

function keyNamedIn(operation: ItemOperation, records: RootRecords): Uint8Array | undefined {
  if (operation.kind === 'key') return operation.key.terms.key
  if (operation.kind === 'wallet')
    return operation.key.kind === 'existing' ? operation.key.id : operation.key.terms.key
  if (operation.kind !== 'update') return undefined
  return records.find(walletTable, operation.id)?.key ?? operation.id
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
