import {
  requestCodec,
  type AnswerDraft,
  type RefusalReason,
  type Request,
  type RequestOf,
} from '@quorate/authority/agreement/exchange'
import {
  certificateCodec,
  isAbout,
  verifyCertificate,
  verifyLock,
  type Certificate,
  type Lock,
  type OpaqueStep,
  type Trust,
} from '@quorate/authority/agreement/messages'
import {
  newVoter,
  nextSeq,
  onAsk,
  onBallot,
  onCertificate,
  onLock,
  onPropose,
  type Agreement,
  type Outcome,
  type VoterState,
} from '@quorate/authority/agreement/voter'
import { keyTable, recordKey, type Write } from '@quorate/authority/records'
import { rootOf, streamName, type StreamId } from '@quorate/authority/stream'
import { equalBytes } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { reducerVersion } from '@quorate/authority/step'
import { unknownReducer, type StepOutcome } from '@quorate/authority/reduce/step'
import { bodyOf, isStepOf } from './body.ts'
import { headAhead, judgeDeterministic, judgeFresh, judgementOf, type Judges } from './judgement.ts'
import { withoutErased } from './erasure.ts'
import type { Log } from './log.ts'
import type { Self } from './self.ts'
import { alarmOf } from './stop.ts'
import { newestReader } from './store/reader.ts'
import type { Place } from './store/store.ts'

export type Voting = {
  /** Within a transaction of the store: the answer may be signed once that is durable. */
  readonly answer: (place: Place, request: Request) => AnswerDraft
}

export type Voter = Judges & {
  readonly self: Self
  readonly trust: Trust
  readonly log: Log
  /** Told of every step that comes into force, in the transaction that puts it there. */
  readonly onCertified: (place: Place, certified: Certified) => void
}
export type Certified = { readonly time: number; readonly writes: readonly Write[] }

/** The voter's rules of `authority/agreement`, with this signer's store and judgement behind them. */
export function votingOf(voter: Voter): Voting {
  return { answer: (place, request) => answer(voter, place, request) }
}

function answer(voter: Voter, place: Place, request: Request): AnswerDraft {
  const detail = voter.store.memory.stopped(place.organization)
  if (detail !== undefined) return { kind: 'alarm', detail }
  noticeRestore(voter, place, request)
  if (mustAbstain(voter, request))
    return refusal('this store is older than what its signer has said: operator, see the manual')
  switch (request.kind) {
    case 'ask':
      return onAsk(agreementOf(voter, place), stateAt(voter, place), request.nonce).answer
    case 'certificate':
      return adopt(voter, place, request)
    case 'lock':
      return seal(voter, place, request)
    case 'ballot':
      return catchUp(voter, place, request.headCertificate) ?? promise(voter, place, request)
    case 'propose':
      return catchUp(voter, place, request.headCertificate) ?? vote(voter, place, request)
  }
}

function promise(voter: Voter, place: Place, request: RequestOf<'ballot'>): AnswerDraft {
  const state = stateAt(voter, place)
  const early = state === newVoter ? nothingHere(voter, place) : undefined
  if (early !== undefined) return early
  const outcome = onBallot(agreementOf(voter, place), state, request)
  return settle(voter, { place, request, state }, outcome)
}

/**
 * A promise costs its asker nothing and this signer a row for ever, so it is given only where there
 * is a stream. A key that is not here yet may be so because the root stream is not.
 */
function nothingHere(voter: Voter, place: Place): AnswerDraft | undefined {
  const { organization, stream } = place
  const root = { organization, stream: rootOf(organization) }
  if (voter.store.log.newestSeq(root) < 0 || stream.kind === 'user')
    return refusal('there is no such stream here', 'closed')
  const isKnown =
    stream.kind === 'key'
      ? newestReader(voter.store.log, organization).read(
          root.stream,
          recordKey(keyTable, stream.id),
        ) !== undefined
      : streamName(stream) === streamName(root.stream)
  return isKnown ? undefined : behindAt(voter, root)
}

function vote(voter: Voter, place: Place, request: RequestOf<'propose'>): AnswerDraft {
  const { step } = request
  const behind = behindOn(voter, place, step)
  if (behind !== undefined) return behind
  const state = stateAt(voter, place)
  const outcome = onPropose(agreementOf(voter, place), state, request, {
    deterministic: (judged) => judgementOf(judgeDeterministic(voter, place, judged)),
    fresh: (judged) => judgeFresh(voter, place, judged),
  })
  const body = bodyOf(step)
  if (outcome.answer.kind === 'vote' && body !== undefined) voter.externalIds.keep(place, body)
  return settle(voter, { place, request, state }, outcome)
}

function seal(voter: Voter, place: Place, request: RequestOf<'lock'>): AnswerDraft {
  const state = stateAt(voter, place)
  const step = knownStep(state, request.lock.stepHash, request.step)
  const early = step && (lagsBehind(place, step) ?? behindOn(voter, place, step))
  if (early !== undefined) return early
  const outcome = onLock(agreementOf(voter, place), state, request, {
    deterministic: (judged) => worded(judgeDeterministic(voter, place, judged)),
  })
  return settle(voter, { place, request, state }, outcome)
}

/** Believes q signers, and nobody less, that a step is in force; then works out what it changes. */
function adopt(voter: Voter, place: Place, request: RequestOf<'certificate'>): AnswerDraft {
  const { certificate } = request
  const state = stateAt(voter, place)
  const agreement = agreementOf(voter, place)
  if (isFork(voter, place, certificate))
    return stop(voter, place, request, 'two steps are certified at one place')
  const known = knownStep(state, certificate.stepHash, request.step)
  const early = known && (lagsBehind(place, known) ?? behindOn(voter, place, known))
  if (early !== undefined) return early
  const outcome = onCertificate(agreement, state, request)
  const { adopted } = outcome
  if (adopted === undefined) return settle(voter, { place, request, state }, outcome)
  const judged = judgeDeterministic(voter, place, adopted)
  if (!judged.ok) {
    const detail = `an invalid step is certified: ${worded(judged).detail}`
    return stop(voter, place, request, detail)
  }
  keep(voter, place, { certificate, adopted, writes: judged.writes })
  return settle(voter, { place, request, state }, outcome)
}

type Kept = {
  readonly certificate: Certificate
  readonly adopted: OpaqueStep
  readonly writes: readonly Write[]
}

function keep(voter: Voter, place: Place, { certificate, adopted, writes }: Kept): void {
  const { seq, hash, time } = adopted
  const encoded = encode(certificateCodec, certificate)
  const body = withoutErased(voter.store, place, adopted)
  voter.store.log.addStep(place, seq, { hash, time, body, certificate: encoded }, writes)
  const whole = bodyOf(adopted)
  if (whole !== undefined) voter.externalIds.keep(place, whole)
  voter.onCertified(place, { time, writes })
}

/**
 * A proposal brings the certificate of the step before; whoever has that step's body can take it.
 * @returns an answer only when there is nothing more to say in this organization
 */
function catchUp(
  voter: Voter,
  place: Place,
  certificate: Certificate | undefined,
): AnswerDraft | undefined {
  if (certificate === undefined || certificate.seq !== nextSeq(stateAt(voter, place)))
    return undefined
  const adopted = adopt(voter, place, { kind: 'certificate', certificate, step: undefined })
  return adopted.kind === 'alarm' ? adopted : undefined
}

/** `onCertificate` knows its newest head alone; the log knows every step that was ever adopted. */
function isFork(voter: Voter, place: Place, certificate: Certificate): boolean {
  const known = voter.store.log.headAt(place, certificate.seq)
  return (
    known !== undefined &&
    !equalBytes(known.hash, certificate.stepHash) &&
    isAbout(certificate, place) &&
    verifyCertificate(certificate, voter.trust)
  )
}

/** Asks for the certificates of another stream, in that stream's name. */
function behindOn(voter: Voter, place: Place, step: OpaqueStep): AnswerDraft | undefined {
  const stream: StreamId | undefined = isStepOf(place, step)
    ? headAhead(voter, place, step)
    : undefined
  if (stream === undefined) return undefined
  return behindAt(voter, { ...place, stream })
}

function behindAt(voter: Voter, other: Place): AnswerDraft {
  const { answer } = onAsk(agreementOf(voter, other), stateAt(voter, other), new Uint8Array(16))
  return answer.kind === 'head'
    ? { ...answer, kind: 'behind', statement: { ...answer.statement, nonce: undefined } }
    : answer
}

/**
 * A step of a newer program's rules is neither valid nor invalid to this one. It says so, learns
 * nothing, and goes on once its operator has brought it up to date: no reason to stop for good.
 */
function lagsBehind(place: Place, step: OpaqueStep): AnswerDraft | undefined {
  const body = isStepOf(place, step) ? bodyOf(step) : undefined
  return body === undefined || body.step.reducer === reducerVersion
    ? undefined
    : refusal(`${unknownReducer}: this signer's program is older than others'`)
}

/**
 * Reasons of the rules may quote what somebody has asked for. An alarm is logged and kept, and so
 * says only which item it is about: the step itself is kept as its evidence.
 */
function worded(outcome: StepOutcome): Worded {
  if (outcome.ok) return { ok: true, detail: '' }
  const { item } = outcome
  return { ok: false, detail: item === undefined ? 'as a whole' : `in item ${item}` }
}
type Worded = { readonly ok: boolean; readonly detail: string }

type Asked = {
  readonly place: Place
  readonly request: Request
  /** Before the question. */
  readonly state: VoterState
}

function settle(voter: Voter, { place, request, state }: Asked, outcome: Outcome): AnswerDraft {
  if (outcome.answer.kind === 'alarm') return stop(voter, place, request, outcome.answer.detail)
  if (outcome.state !== state) voter.store.log.putVoter(place, outcome.state)
  return outcome.answer
}

/** More than f signers are corrupt, or there is a bug: either way this organization stands still. */
function stop(voter: Voter, place: Place, request: Request, detail: string): AnswerDraft {
  voter.store.memory.stop(place.organization, detail, encode(requestCodec, request))
  for (const stopped of voter.store.memory.stops())
    if (equalBytes(stopped.organization, place.organization)) voter.log(alarmOf(stopped))
  return { kind: 'alarm', detail }
}

/**
 * A vote or seal of its own from a later moment than its store has seen: the store is an old copy,
 * and what it has forgotten it might contradict. Only the identity key can make such a thing.
 */
function noticeRestore(voter: Voter, place: Place, request: Request): void {
  const { store, self, trust, log } = voter
  const proof = proofIn(request)
  const own = proof?.voices.find(({ signer }) => signer === self.index)
  if (proof === undefined || own === undefined || own.storeSequence <= store.sequence) return
  const isGenuine =
    isAbout(proof, place) &&
    (proof.kind === 'lock' ? verifyLock(proof, trust) : verifyCertificate(proof, trust))
  if (!isGenuine || store.memory.number('restored') === 1) return
  store.memory.setNumber('restored', 1)
  log({ event: 'restored', own: store.sequence, seen: own.storeSequence })
}

function proofIn(request: Request): Lock | Certificate | undefined {
  if (request.kind === 'lock') return request.lock
  if (request.kind === 'certificate') return request.certificate
  return request.kind === 'ask' ? undefined : request.headCertificate
}

/** It goes on learning what others certify, and counts as the faulty one. */
function mustAbstain({ store }: Voter, { kind }: Request): boolean {
  const isPromise = kind === 'propose' || kind === 'lock' || kind === 'ballot'
  return isPromise && store.memory.number('restored') === 1
}

function refusal(detail: string, reason: RefusalReason = 'abstaining'): AnswerDraft {
  return { kind: 'refusal', reason, item: undefined, detail }
}

function agreementOf({ trust }: Voter, place: Place): Agreement {
  return { ...place, trust, isStep: (step) => isStepOf(place, step) }
}

function knownStep(
  { steps }: VoterState,
  hash: Uint8Array,
  offered: OpaqueStep | undefined,
): OpaqueStep | undefined {
  return steps.find((step) => equalBytes(step.hash, hash)) ?? offered
}

function stateAt({ store }: Voter, place: Place): VoterState {
  return store.log.voter(place)
}
