import { equalBytes } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { isFailure } from '@quorate/core/failure'
import { sha256 } from '@quorate/core/hash'
import { recordKey, requestTable, writtenHash, type Write } from '../records.ts'
import { decodePreimage, requestHash } from '../request.ts'
import {
  assertionsHash,
  operationCodec,
  reducerVersion,
  type Evidence,
  type Item,
  type ItemOperation,
  type Step,
} from '../step.ts'
import { streamName } from '../stream.ts'
import { judgeAuthor, type Authored } from './author.ts'
import { Refused, refuse, type Judging, type Reader, type Rules } from './judging.ts'
import { reduceKey, reduceWallet, keyTermsOf } from './key.ts'
import {
  reduceAssignment,
  reduceGenesis,
  reduceServiceAccount,
  type Reduced,
} from './organization.ts'
import { planUse, reduceRenewal, reduceUse } from './use.ts'
import type { KeyTerms } from '../key-certificate.ts'

export type StepOutcome =
  | { readonly ok: true; readonly writes: readonly Write[] }
  /** `item` is the place of the refused item; empty when it is the step itself. */
  | { readonly ok: false; readonly item?: number; readonly reason: string }

/**
 * The one function that says whether a step is valid and what it changes: the server, every signer
 * and the offline verifier run it. Pure: same step, evidence and records, same answer, for ever.
 *
 * `reader` shows the records as of the heads that the step names, and of its own stream's prefix.
 */
export function reduceStep(
  step: Step,
  evidence: readonly Evidence[],
  reader: Reader,
  rules: Rules,
): StepOutcome {
  const made = reduceItems({ step, evidence, reader, rules })
  if (!made.ok) return made
  const isWritten = equalBytes(step.written, writtenHash(made.writes))
  return isWritten ? made : { ok: false, reason: 'the step changes other records than it says' }
}

type Drafted = {
  readonly step: Step
  readonly evidence: readonly Evidence[]
  readonly reader: Reader
  readonly rules: Rules
}

/** The same without `written`, for the proposer who has yet to work it out. */
export function reduceItems({ step, evidence, reader, rules }: Drafted): StepOutcome {
  if (step.reducer !== reducerVersion) return { ok: false, reason: 'unknown reducer version' }
  if (!equalBytes(step.manifest, rules.manifest.hash))
    return { ok: false, reason: 'the step is for another cluster' }
  if (evidence.length !== step.items.length) return { ok: false, reason: 'evidence is missing' }
  const writes: Write[] = []
  const overlaid = overlay(step, reader, writes)
  for (const [index, item] of step.items.entries()) {
    const beside = evidence[index]
    if (beside === undefined) return { ok: false, reason: 'evidence is missing' }
    const refusal = refusalOf(() => {
      writes.push(...reduceItem({ ...judgingOf(step, item, beside, overlaid, rules) }))
    })
    if (refusal !== undefined) return { ok: false, item: index, reason: refusal }
  }
  return { ok: true, writes }
}

/** What an operation with these writes must look like in the item, so that a server can draft one. */
export function draftOperation(judging: Judging): ItemOperation {
  return reduced(judging).operation
}

/** Later items of a step see what earlier ones have written. */
function overlay(step: Step, reader: Reader, writes: readonly Write[]): Reader {
  const home = streamName(step.stream)
  return {
    read: (stream, key) =>
      (streamName(stream) === home
        ? writes.findLast((write) => write.key === key)?.value
        : undefined) ?? reader.read(stream, key),
  }
}

function judgingOf(
  step: Step,
  item: Item,
  evidence: Evidence,
  reader: Reader,
  rules: Rules,
): Judging {
  const preimage = decodePreimage(evidence.preimage)
  return { step, item, evidence, preimage, request: requestHash(evidence.preimage), reader, rules }
}

function reduceItem(judging: Judging): readonly Write[] {
  const { item, evidence } = judging
  if (!equalBytes(item.assertions, assertionsHash(evidence.assertions))) refuse('other assertions')
  if (!equalBytes(item.facts, sha256(evidence.facts))) refuse('other facts')
  if (item.versions.length > 0) refuse('versions are not understood')
  const { operation, writes } = reduced(judging)
  const isSame = equalBytes(
    encode(operationCodec, operation),
    encode(operationCodec, item.operation),
  )
  if (!isSame) refuse('the item does something else than was asked for')
  return writes
}

/** Everything but a use is used once at home in the root stream, where its marker stays. */
function reduced(judging: Judging): Reduced {
  const { item, step, request, reader } = judging
  const { kind } = item.operation
  if (kind === 'genesis') return marked(judging, reduceGenesis(judging))
  const authored = judgeAuthor(judging)
  const home = authored.match.operation.changes
  const isExpected = home.item === kind || (home.item === 'use' && kind === 'renew')
  if (!isExpected || home.stream !== step.stream.kind)
    refuse('the item does not stand where it belongs')
  if (kind === 'use') return reduceUse(judging, authored)
  if (kind === 'renew') return reduceRenewal(judging, authored)
  if (reader.read(step.stream, recordKey(requestTable, request)) !== undefined)
    refuse('the request has been used')
  return marked(judging, reduceRoot(judging, authored, kind))
}

type RootKind = Exclude<ItemOperation['kind'], 'genesis' | 'use' | 'renew'>

function reduceRoot(judging: Judging, authored: Authored, kind: RootKind): Reduced {
  if (kind === 'serviceAccount') return reduceServiceAccount(judging, authored)
  if (kind === 'assignment') return reduceAssignment(judging)
  if (kind === 'key') return reduceKey(judging, authored)
  return reduceWallet(judging, authored)
}

function marked({ preimage, request, step }: Judging, { operation, writes }: Reduced): Reduced {
  const marker = {
    key: recordKey(requestTable, request),
    value: encode(requestTable.codec, {
      slot: undefined,
      digests: [],
      fee: 0n,
      executeBefore: preimage.executeBefore,
      time: step.time,
    }),
  }
  return { operation, writes: [marker, ...writes] }
}

/**
 * Before any share of a key exists: would this request, now, be allowed to create one, and which?
 * The step is the one that would be proposed, without certificate.
 */
export function judgeKeyRequest(
  drafted: Drafted,
): { ok: true; terms: KeyTerms } | { ok: false; reason: string } {
  return outcomeOf(drafted, (judging, authored) => {
    if (
      drafted.reader.read(drafted.step.stream, recordKey(requestTable, judging.request)) !==
      undefined
    )
      refuse('the request has been used')
    return { terms: keyTermsOf(judging, authored) ?? refuse('the request makes no key') }
  })
}

/** What a certified use signs: the messages, rebuilt once more from the evidence. */
export function messagesOf(
  drafted: Drafted,
  item: number,
): { ok: true; messages: readonly Uint8Array[] } | { ok: false; reason: string } {
  return outcomeOf(
    drafted,
    (judging, authored) => ({ messages: planUse(judging, authored).plan.messages }),
    item,
  )
}

function outcomeOf<T>(
  { step, evidence, reader, rules }: Drafted,
  judge: (judging: Judging, authored: Authored) => T,
  index = 0,
): ({ ok: true } & T) | { ok: false; reason: string } {
  const item = step.items[index]
  const beside = evidence[index]
  if (item === undefined || beside === undefined)
    return { ok: false, reason: 'evidence is missing' }
  let made: T | undefined
  const reason = refusalOf(() => {
    const judging = judgingOf(step, item, beside, reader, rules)
    made = judge(judging, judgeAuthor(judging))
  })
  return made === undefined ? { ok: false, reason: reason ?? 'refused' } : { ok: true, ...made }
}

/** Malformed bytes and JSON inside evidence are refusals too: whoever sent them gets no further. */
function refusalOf(judge: () => void): string | undefined {
  try {
    judge()
    return undefined
  } catch (error) {
    if (error instanceof Refused) return error.message
    if (isFailure(error, 'bytes.malformed')) return `malformed bytes: ${error.context.expected}`
    if (isFailure(error, 'json.malformed')) return `malformed JSON: ${error.context.reason}`
    throw error
  }
}
