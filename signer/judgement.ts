import type { OpaqueStep } from '@quorate/authority/agreement/messages'
import type { Judgement } from '@quorate/authority/agreement/voter'
import type { Body } from '@quorate/authority/body'
import type { Rules } from '@quorate/authority/reduce/judging'
import { matchOperation } from '@quorate/authority/operations'
import { endsOwn } from '@quorate/authority/reduce/author'
import { decodePreimage } from '@quorate/authority/request'
import { judgeHeads } from '@quorate/authority/reduce/heads'
import { unseen } from '@quorate/authority/reduce/asked'
import { reduceStep, refusedBy, type StepOutcome } from '@quorate/authority/reduce/step'
import type { Write } from '@quorate/authority/records'
import { isFrozen, isLiftableWithout, type RootRecords } from '@quorate/authority/standing'
import { skewMsMax, type Step } from '@quorate/authority/step'
import { rootOf, streamName, type StreamId } from '@quorate/authority/stream'
import { equalBytes, toHex } from '@quorate/core/bytes'
import { bodyOf } from './body.ts'
import type { Clock } from './clock.ts'
import type { ExternalIds } from './external-ids.ts'
import { judgeSources } from './fact-sources.ts'
import { refusedByFirstSight } from './first-sight.ts'
import type { OwnFacts } from './own-facts.ts'
import { recordsIn, withStatements } from './statements.ts'
import { withUnseenBreaks } from './unseen-breaks.ts'
import { newestReader, readerAt, type Sealed } from './store/reader.ts'
import type { Place, Store } from './store/store.ts'

export type Judges = {
  readonly store: Store
  readonly rules: Rules
  readonly clock: Clock
  readonly externalIds: ExternalIds
  readonly ownFacts: OwnFacts
  /** What was found valid a moment ago, by place and hash. */
  readonly judged: Map<string, StepOutcome>
}

/** A step is judged at its vote, its seal and its certificate, which are moments apart. */
const judgedMax = 128

/**
 * Validity, which everybody must see alike: under the heads that the step names and its own
 * stream's prefix, whatever else this signer may know by now.
 */
export function judgeDeterministic(judges: Judges, place: Place, step: OpaqueStep): StepOutcome {
  const body = bodyOf(step)
  if (body === undefined) return refused('the step cannot be read')
  const { log } = judges.store
  const { organization } = place
  const reason = judgeHeads(body.step, {
    at: (stream, seq) => log.headAt({ organization, stream }, seq),
  })
  if (reason !== undefined) return refused(reason)
  // The hash fixes the step, its evidence, its heads and its prefix, and so the verdict.
  const name = `${toHex(place.organization)}/${streamName(place.stream)}/${toHex(body.hash)}`
  const known = judges.judged.get(name)
  if (known !== undefined) return known
  const reader = readerAt(judges.store.log, place, body.step)
  const outcome = reduceStep(body.step, body.evidence, reader, judges.rules)
  if (outcome.ok) remember(judges.judged, name, outcome)
  return outcome
}

function remember(judged: Judges['judged'], name: string, outcome: StepOutcome): void {
  const [oldest] = judged.keys()
  if (judged.size >= judgedMax && oldest !== undefined) judged.delete(oldest)
  judged.set(name, outcome)
}

/** May it happen now, as far as this signer knows? Its own view, and never part of validity. */
export function judgeFresh(judges: Judges, place: Place, step: OpaqueStep): Judgement {
  const body = bodyOf(step)
  if (body === undefined) return { ok: false, detail: 'the step cannot be read' }
  const now = judges.clock.read()
  if (!now.ok) return { ok: false, reason: 'abstaining', detail: now.reason }
  if (Math.abs(now.time - step.time) > skewMsMax)
    return { ok: false, reason: sideOf(step, now), detail: 'the time of the step is not now' }
  const hidden = body.evidence.findIndex(({ salt }) => salt === undefined)
  if (hidden !== -1) return { ok: false, item: hidden, detail: unseen }
  const outcome = reduceNewest(judges, place, body, now.time)
  if (!outcome.ok) return judgementOf(outcome)
  const { organization } = place
  const reader = newestReader(judges.store.log, organization, sealedAtRoot(judges, organization))
  const early = refusedByFirstSight(judges.store, {
    ...{ organization, evidence: body.evidence, time: step.time, now: now.time, reader },
  })
  if (early !== undefined) return { ok: false, ...early }
  const sourced = judgeSources(judges.ownFacts, { place, body, reader, now: now.time })
  return sourced.ok ? judges.externalIds.judge(place, body) : sourced
}

function sideOf(step: OpaqueStep, now: { readonly time: number }): 'early' | 'late' {
  return step.time < now.time ? 'early' : 'late'
}

/** In the words of agreement. */
export function judgementOf(outcome: StepOutcome): Judgement {
  if (outcome.ok) return { ok: true }
  const { reason: detail, item } = outcome
  return item === undefined ? { ok: false, detail } : { ok: false, detail, item }
}

/**
 * A head that the step names and this signer has not seen certified. No verdict is possible before
 * it has: neither that the step is valid nor, which would stop the organization, that it is not.
 */
export function headAhead({ store }: Judges, place: Place, step: OpaqueStep): StreamId | undefined {
  const heads = bodyOf(step)?.step.heads ?? []
  const missing = heads.find(
    ({ stream, seq }) =>
      streamName(stream) !== streamName(place.stream) &&
      seq > store.log.newestSeq({ ...place, stream }),
  )
  return missing?.stream
}

/** What a step that is sealed in the root stream will change there, if it is certified. */
export function sealedAtRoot(judges: Judges, organization: Uint8Array): readonly Sealed[] {
  const place = { organization, stream: rootOf(organization) }
  const { lock, steps } = judges.store.log.voter(place)
  const sealed = lock && steps.find(({ hash }) => equalBytes(hash, lock.stepHash))
  if (sealed === undefined) return []
  const outcome = judgeDeterministic(judges, place, sealed)
  return outcome.ok ? [{ stream: place.stream, writes: outcome.writes }] : []
}

/** What the steps would change in the root stream that this signer has voted for or sealed there. */
export function openAtRoot(judges: Judges, organization: Uint8Array): readonly Write[] {
  const place = { organization, stream: rootOf(organization) }
  return judges.store.log.voter(place).steps.flatMap((step) => {
    const outcome = judgeDeterministic(judges, place, step)
    return outcome.ok ? outcome.writes : []
  })
}

/**
 * A root step rests on its own prefix, of which nothing newer can be known. A use of a key is judged
 * again if the root stream has moved on, or is about to; and every step, where statements have taken
 * away what the log does not know of, or policies count as ended too early. What follows from a step is the log's matter in any case.
 */
function reduceNewest(
  judges: Judges,
  place: Place,
  { step, evidence }: Body,
  now: number,
): StepOutcome {
  const { store, rules } = judges
  const { organization } = place
  const sealed = place.stream.kind === 'root' ? [] : sealedAtRoot(judges, organization)
  const readerOf = (ahead: readonly Sealed[]) => newestReader(store.log, organization, ahead)
  const isNewest = step.heads.every(
    ({ seq, stream }) => seq === store.log.newestSeq({ organization, stream }),
  )
  if (sealed.length > 0 || !isNewest) {
    const outcome = reduceStep(step, evidence, readerOf(sealed), rules)
    if (!outcome.ok) return outcome
  }
  const stated = withStatements(store, organization, sealed)
  const restricted = withUnseenBreaks(store, { organization, now }, stated)
  if (restricted === sealed) return { ok: true, writes: [] }
  const reader = readerOf(restricted)
  const asked = { step, evidence, reader, rules }
  const refusal = onlyTakesAway(evidence)
    ? (refusedBy(asked, 'authors') ?? frozenForEver(step, recordsIn(organization, reader)))
    : refusedBy(asked, 'all')
  return refusal ?? { ok: true, writes: [] }
}

/** The log may freeze whom it likes, but not the last who could lift what statements have frozen. */
function frozenForEver(
  { items }: Pick<Step, 'items'>,
  records: RootRecords,
): Extract<StepOutcome, { ok: false }> | undefined {
  const stopped: Uint8Array[] = []
  for (const [item, { operation }] of items.entries()) {
    if (operation.kind !== 'freeze' || operation.what !== 'user') continue
    if (isFrozen(records, operation.target)) continue
    stopped.push(operation.target)
    if (!isLiftableWithout(records, ...stopped))
      return { ok: false, item, reason: 'nobody would be left to lift it' }
  }
  return undefined
}

/**
 * Statements stand in the way of nothing that takes away in the log what they have taken away: there
 * they say who may ask no more. To lift a freeze is no such thing, nor to end what is frozen.
 */
function onlyTakesAway(evidence: Body['evidence']): boolean {
  return evidence.every(({ preimage }) => {
    const { method, path } = decodePreimage(preimage)
    const name = matchOperation(method, path)?.name ?? ''
    return name === 'quorate.freeze' || endsOwn(name)
  })
}

function refused(reason: string): StepOutcome {
  return { ok: false, reason }
}
