import { equalBytes } from '@quorate/core/bytes'
import { writtenHash, type Write } from '../records.ts'
import { reducerVersion, type Evidence, type Item, noStep, type Step } from '../step.ts'
import { streamName } from '../stream.ts'
import type { Reader, Rules } from './judging.ts'
import { type Drafted, type Asked, draftItem, judgingOf, outcomeOf, refusalOf } from './asked.ts'
import { bidOf } from './cause.ts'
import { reduceItem, reduced, authorOf } from './item.ts'

/**
 * The reason for a step of rules that this program does not have. It may be valid: whoever lags in
 * software refuses, and concludes nothing about those who have agreed to it.
 */
export const unknownReducer = 'unknown reducer version'

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

/** The same without `written`, for the proposer who has yet to work it out. */
export function reduceItems({ step, evidence, reader, rules }: Drafted): StepOutcome {
  if (step.reducer !== reducerVersion) return { ok: false, reason: unknownReducer }
  if (!equalBytes(step.manifest, rules.manifest.hash))
    return { ok: false, reason: 'the step is for another cluster' }
  if (evidence.length !== step.items.length) return { ok: false, reason: 'evidence is missing' }
  const writes: Write[] = []
  const overlaid = overlay(step, reader, writes)
  for (const [index, item] of step.items.entries()) {
    const beside = evidence[index]
    if (beside === undefined) return { ok: false, reason: 'evidence is missing' }
    const refusal = refusalOf(() => {
      const { kind } = item.operation
      writes.push(
        ...reduceItem(judgingOf({ step, reader: overlaid, rules }, item, beside, kind), item),
      )
    })
    if (refusal !== undefined) return { ok: false, item: index, reason: refusal }
  }
  return { ok: true, writes }
}

export type Draft = Omit<Step, 'items' | 'written'>

/**
 * Makes the step that a server proposes: the rules themselves work out what each item must say.
 * @returns the step and what it changes, or the first item that the rules refuse
 */
export function draftStep(
  draft: Draft,
  asked: readonly Asked[],
  reader: Reader,
  rules: Rules,
):
  | { readonly ok: true; readonly step: Step; readonly writes: readonly Write[] }
  | Extract<StepOutcome, { ok: false }> {
  const items: Item[] = []
  const writes: Write[] = []
  const overlaid = overlay(draft, reader, writes)
  const empty = { ...draft, items, written: noStep }
  for (const [index, one] of asked.entries()) {
    const { kind, evidence } = one
    const refusal = refusalOf(() => {
      const item = draftItem(evidence, one)
      const made = reduced(
        judgingOf({ step: empty, reader: overlaid, rules }, item, evidence, kind),
        kind,
      )
      items.push({ ...item, operation: made.operation })
      writes.push(...made.writes)
    })
    if (refusal !== undefined) return { ok: false, item: index, reason: refusal }
  }
  return { ok: true, step: { ...empty, written: writtenHash(writes) }, writes }
}

/**
 * Do these records allow what the step says, whatever would be written by them? For records that
 * take something away which the log does not know of yet: they restrict what is allowed, and have no
 * part in what follows from it.
 *
 * @param what `authors`: who asks, and no more, for what only takes away itself
 * @returns which item they do not, and why
 */
export function refusedBy(
  { step, evidence, reader, rules }: Drafted,
  what: 'all' | 'authors',
): Extract<StepOutcome, { ok: false }> | undefined {
  const asked = step.items.flatMap(({ operation: { kind }, cause }, i) => {
    const beside = evidence[i]
    return beside === undefined ? [] : [{ kind, evidence: beside, bid: bidOf(cause) }]
  })
  if (what === 'all') {
    const drafted = draftStep(step, asked, reader, rules)
    return drafted.ok ? undefined : drafted
  }
  for (const [item, one] of asked.entries()) {
    const outcome = outcomeOf(
      () => {
        const drafted = draftItem(one.evidence, one)
        return judgingOf({ step, reader, rules }, drafted, one.evidence, one.kind)
      },
      (judging) => ({ authored: authorOf(judging) }),
    )
    if (!outcome.ok) return { ...outcome, item }
  }
  return undefined
}

/** Later items of a step see what earlier ones have written. */
function overlay(step: Pick<Step, 'stream'>, reader: Reader, writes: readonly Write[]): Reader {
  const home = streamName(step.stream)
  return {
    read: (stream, key) =>
      (streamName(stream) === home
        ? writes.findLast((write) => write.key === key)?.value
        : undefined) ?? reader.read(stream, key),
  }
}
