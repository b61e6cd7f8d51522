import { equalBytes } from '@quorate/core/bytes'
import { type Decoded, hash32, list, option, struct, u64 } from '@quorate/core/codec'
import type { AnswerDraft, RefusalReason, RequestOf } from './exchange.ts'
import { detailMax } from './exchange.ts'
import {
  type Certificate,
  type Draft,
  type HeadStatement,
  type Opened,
  type Opening,
  type Signed,
  type OpaqueStep,
  type Subject,
  type Trust,
  certificateCodec,
  isAbout,
  lockCodec,
  noStep,
  openedBy,
  stepCodec,
  tagged,
  verifyCertificate,
  verifyLock,
  verifySigned,
} from './messages.ts'

/**
 * One signer in one stream, as pure functions: state and request in; new state and an unsigned
 * answer out. **Whoever calls them makes the new state durable first, and only then signs and
 * sends the answer.** An answer may be lost, or given twice; a state may not.
 *
 * A manifest change needs nothing here: statements carry the hash of the manifest, and those of
 * another one do not verify. The caller stops voting under the old manifest durably, and gives the
 * old `Trust` only to verify the first promises and the certificates that the old signers made.
 */

/**
 * Nobody can use the numbers up: at a leap per millisecond, each of them on disk, 2^53 last for
 * centuries. Four bytes would have lasted an hour.
 */
export const ballotLeapMax = 1000

const headCodec = struct({ seq: u64, hash: hash32, certificate: certificateCodec })

/** One row per stream. `steps` are the bodies that `vote` and `lock` name, and no others. */
export const voterStateCodec = tagged(
  'quorate/voter-state/1',
  struct({
    head: option(headCodec),
    ballot: u64,
    vote: option(struct({ ballot: u64, stepHash: hash32 })),
    lock: option(lockCodec),
    steps: list(stepCodec, 2),
    abstainUpTo: option(u64),
  }),
)
export type VoterState = Decoded<typeof voterStateCodec>

export const newVoter: VoterState = {
  head: undefined,
  ballot: 0,
  vote: undefined,
  lock: undefined,
  steps: [],
  abstainUpTo: undefined,
}

/**
 * `isStep`: are seq, previous, hash and time those that the step's bytes say? Whatever else lies in
 * the bytes must be fixed by the hash, so that two bodies of one hash are always judged alike.
 */
export type Agreement = Subject & {
  readonly trust: Trust
  readonly isStep: (step: OpaqueStep) => boolean
}

export type Judgement =
  | { readonly ok: true }
  | {
      readonly ok: false
      readonly detail: string
      readonly item?: number
      /** Where it is about neither: not about the request, but about when it is to be judged. */
      readonly reason?: 'early' | 'late' | 'abstaining'
    }

/** Asked only when the answer depends on it, `fresh` never before `deterministic`. */
export type Judge = {
  readonly deterministic: (step: OpaqueStep) => Judgement
  readonly fresh: (step: OpaqueStep) => Judgement
}

export type Outcome = { readonly state: VoterState; readonly answer: AnswerDraft }

/** The one place in its stream where this signer can vote. */
export function nextSeq(state: VoterState): number {
  return state.head === undefined ? 0 : state.head.seq + 1
}

export function headHash(state: VoterState): Uint8Array {
  return state.head?.hash ?? noStep
}

/** A certificate of the step before, if the proposal brings one, must have been adopted first. */
export function onPropose(
  agreement: Agreement,
  state: VoterState,
  proposal: Omit<RequestOf<'propose'>, 'kind'>,
  judge: Judge,
): Outcome {
  const { ballot, step } = proposal
  const early = screen(agreement, state, { seq: step.seq, ballot })
  if (early !== undefined) return { state, answer: early }
  if (!agreement.isStep(step)) return refuse(state, 'malformed', 'not the step of its bytes')
  if (!equalBytes(step.previous, headHash(state)))
    return refuse(state, 'invalid', 'does not follow the head')

  if (state.vote?.ballot === ballot)
    return equalBytes(state.vote.stepHash, step.hash)
      ? { state, answer: voteFor(agreement, state, proposal) }
      : refuse(state, 'voted', 'another step has this vote')
  if (state.lock?.ballot === ballot && !equalBytes(state.lock.stepHash, step.hash))
    return refuse(state, 'sealed', 'another step is locked in this ballot')

  const opened = opening(agreement, state, proposal)
  if (!opened.ok) return refuse(state, 'closed', 'nothing shows that this ballot is open')
  const { only } = opened
  if (only !== undefined && !equalBytes(only, step.hash))
    return refuse(state, 'locked', 'a promise shows a lock on another step')

  const judgement = judged(step, { judge, waived: only !== undefined })
  if (judgement !== undefined) return { state, answer: judgement }
  const voted = keepBodies({ ...state, ballot, vote: { ballot, stepHash: step.hash } }, step)
  return { state: voted, answer: voteFor(agreement, voted, proposal) }
}

/** A lock is sealed even when it has become stale: of q votes q - f are of honest signers. */
export function onLock(
  agreement: Agreement,
  state: VoterState,
  request: Omit<RequestOf<'lock'>, 'kind'>,
  judge: Pick<Judge, 'deterministic'>,
): Outcome {
  const { lock } = request
  const early = screen(agreement, state, lock)
  if (early !== undefined) return { state, answer: early }
  if (!isAbout(lock, agreement) || !verifyLock(lock, agreement.trust))
    return refuse(state, 'evidence', 'these are not q votes for one step of this stream')
  if (state.lock?.ballot === lock.ballot && !equalBytes(state.lock.stepHash, lock.stepHash))
    return alarm(state, 'two steps are locked in one ballot')

  const step = bodyOf(agreement, state, lock.stepHash, request.step)
  if (step === undefined) return refuse(state, 'body_missing', 'the locked step is not here')
  if (step.seq !== lock.seq || !equalBytes(step.previous, headHash(state)))
    return alarm(state, 'a step that does not follow the head has q votes')
  const judgement = judge.deterministic(step)
  if (!judgement.ok) return alarm(state, `an invalid step has q votes: ${judgement.detail}`)

  const sealed = keepBodies({ ...state, ballot: lock.ballot, lock }, step)
  const { seq, ballot, stepHash } = lock
  const statement = { kind: 'seal', ...placeOf(agreement, seq, ballot), stepHash } as const
  return { state: sealed, answer: { kind: 'seal', statement } }
}

/** Promises not to answer below `ballot` again, and says what is locked here already. */
export function onBallot(
  agreement: Agreement,
  state: VoterState,
  { seq, ballot }: { readonly seq: number; readonly ballot: number },
): Outcome {
  const early = screen(agreement, state, { seq, ballot })
  if (early !== undefined) return { state, answer: early }
  if (ballot === state.ballot) return { state, answer: headAnswer('stale', agreement, state) }
  if (ballot > state.ballot + ballotLeapMax)
    return { state, answer: headAnswer('behind', agreement, state) }

  const { lock } = state
  const statement = {
    kind: 'promise',
    ...placeOf(agreement, seq, ballot),
    previous: headHash(state),
    lock: lock && { ballot: lock.ballot, stepHash: lock.stepHash },
  } as const
  const step = lock && bodyOf(agreement, state, lock.stepHash)
  return { state: { ...state, ballot }, answer: { kind: 'promise', statement, lock, step } }
}

/**
 * Moves the head one step on, whatever was voted. `adopted` is the step whose effects the caller
 * replays and stores in the same transaction; if it turns out to be invalid, that is an alarm.
 */
export function onCertificate(
  agreement: Agreement,
  state: VoterState,
  request: Omit<RequestOf<'certificate'>, 'kind'>,
): Outcome & { readonly adopted?: OpaqueStep } {
  const { certificate } = request
  const { seq, stepHash } = certificate
  if (seq > nextSeq(state)) return { state, answer: headAnswer('behind', agreement, state) }
  if (!isAbout(certificate, agreement) || !verifyCertificate(certificate, agreement.trust))
    return refuse(state, 'evidence', 'these are not q seals for one step of this stream')
  if (seq < nextSeq(state)) {
    const forked = state.head?.seq === seq && !equalBytes(state.head.hash, stepHash)
    if (forked) return alarm(state, 'two steps are certified at one place')
    return { state, answer: headAnswer('head', agreement, state) }
  }

  const step = bodyOf(agreement, state, stepHash, request.step)
  if (step === undefined) return refuse(state, 'body_missing', 'the certified step is not here')
  if (step.seq !== seq || !equalBytes(step.previous, headHash(state)))
    return alarm(state, 'a step that does not follow the head is certified')
  const moved: VoterState = {
    ...newVoter,
    head: { seq, hash: stepHash, certificate },
    ballot: state.ballot,
    abstainUpTo: abstains(state, seq + 1) ? state.abstainUpTo : undefined,
  }
  return { state: moved, answer: headAnswer('head', agreement, moved), adopted: step }
}

/** Answers a restored signer, which asks under a nonce so that no old report can be replayed. */
export function onAsk(agreement: Agreement, state: VoterState, nonce: Uint8Array): Outcome {
  return { state, answer: headAnswer('head', agreement, state, nonce) }
}

/** What another signer answered to `ask`: where it stands, and the proof that it does. */
export type HeadReport = Signed<HeadStatement> & { readonly certificate: Certificate | undefined }

/**
 * How far a restored signer must abstain in a stream, from what q others answered to its `nonce`;
 * undefined if these are not enough. One place further than any of them has voted: before its
 * restore it may have been the first to vote there. Heads need proof, so that a corrupt signer
 * cannot silence a restored one by naming a place that will never be reached.
 */
export function abstention(
  agreement: Agreement,
  reports: readonly HeadReport[],
  { self, nonce }: { readonly self: number; readonly nonce: Uint8Array },
): number | undefined {
  const { trust } = agreement
  const valid = reports.filter(
    (report) =>
      report.statement.signer !== self &&
      report.statement.nonce !== undefined &&
      equalBytes(report.statement.nonce, nonce) &&
      verifyReport(agreement, report),
  )
  if (new Set(valid.map(({ statement }) => statement.signer)).size < trust.q) return undefined
  return Math.max(...valid.map(({ statement }) => statement.seq + (statement.open ? 1 : 0)))
}

/** Is this where the signer says it stands, and is the head that it names certified? */
export function verifyReport(agreement: Agreement, report: HeadReport): boolean {
  const { statement, certificate } = report
  if (!isAbout(statement, agreement) || !verifySigned(report, agreement.trust)) return false
  if (certificate === undefined) return statement.seq === 0
  return (
    isAbout(certificate, agreement) &&
    certificate.seq + 1 === statement.seq &&
    equalBytes(certificate.stepHash, statement.previous) &&
    verifyCertificate(certificate, agreement.trust)
  )
}

/** The state in which a restored signer, or one that never saw the stream, begins again. */
export function restored(state: VoterState, abstainUpTo: number): VoterState {
  return { ...state, abstainUpTo: Math.max(abstainUpTo, state.abstainUpTo ?? 0) }
}

/** What every request that names a place is held to before anything else is looked at. */
function screen(
  agreement: Agreement,
  state: VoterState,
  { seq, ballot }: { readonly seq: number; readonly ballot: number },
): AnswerDraft | undefined {
  if (seq > nextSeq(state)) return headAnswer('behind', agreement, state)
  if (seq < nextSeq(state) || ballot < state.ballot) return headAnswer('stale', agreement, state)
  if (abstains(state, seq))
    return refusal('abstaining', 'restored: waits until the others have moved on')
  return undefined
}

function abstains({ abstainUpTo }: VoterState, seq: number): boolean {
  return abstainUpTo !== undefined && seq <= abstainUpTo
}

/**
 * Ballot 0 is open; so is the one in which the head was certified, as nothing certified in a lower
 * one can follow it; any other needs q promises that speak of this very place. Promises of lower
 * places would do for signers that never forget, but a restored one may have forgotten its own.
 */
function opening(
  agreement: Agreement,
  state: VoterState,
  { ballot, step, promises, headCertificate }: Omit<RequestOf<'propose'>, 'kind'>,
): Opened {
  const { trust, organization, stream } = agreement
  const at: Opening = { organization, stream, seq: step.seq, previous: headHash(state), ballot }
  if (promises.length > 0) return openedBy(promises, at, trust)
  const certificates = [state.head?.certificate, headCertificate]
  const open =
    ballot === 0 || certificates.some((certificate) => opensNext(certificate, agreement, at))
  return open ? { ok: true, only: undefined } : { ok: false }
}

function opensNext(
  certificate: Certificate | undefined,
  agreement: Agreement,
  at: Opening,
): boolean {
  return (
    certificate !== undefined &&
    isAbout(certificate, agreement) &&
    certificate.seq + 1 === at.seq &&
    certificate.ballot === at.ballot &&
    equalBytes(certificate.stepHash, at.previous) &&
    verifyCertificate(certificate, agreement.trust)
  )
}

function judged(
  step: OpaqueStep,
  { judge, waived }: { readonly judge: Judge; readonly waived: boolean },
): AnswerDraft | undefined {
  const deterministic = judge.deterministic(step)
  if (!deterministic.ok) return refusal('invalid', deterministic.detail, deterministic.item)
  if (waived) return undefined
  const fresh = judge.fresh(step)
  return fresh.ok ? undefined : refusal(fresh.reason ?? 'not_fresh', fresh.detail, fresh.item)
}

function voteFor(
  agreement: Agreement,
  state: VoterState,
  { ballot, step }: { readonly ballot: number; readonly step: OpaqueStep },
): AnswerDraft {
  const place = placeOf(agreement, nextSeq(state), ballot)
  return { kind: 'vote', statement: { kind: 'vote', ...place, stepHash: step.hash } }
}

function headAnswer(
  kind: 'stale' | 'behind' | 'head',
  agreement: Agreement,
  state: VoterState,
  nonce?: Uint8Array,
): AnswerDraft {
  const statement: Draft<HeadStatement> = {
    kind: 'head',
    ...placeOf(agreement, nextSeq(state), state.ballot),
    previous: headHash(state),
    open: state.vote !== undefined || state.lock !== undefined,
    nonce,
  }
  return { kind, statement, certificate: state.head?.certificate }
}

function placeOf({ organization, stream, trust }: Agreement, seq: number, ballot: number) {
  return { manifestHash: trust.manifestHash, organization, stream, seq, ballot }
}

function bodyOf(
  { isStep }: Agreement,
  state: VoterState,
  hash: Uint8Array,
  offered?: OpaqueStep,
): OpaqueStep | undefined {
  const own = state.steps.find((step) => equalBytes(step.hash, hash))
  if (own !== undefined || offered === undefined) return own
  return equalBytes(offered.hash, hash) && isStep(offered) ? offered : undefined
}

function keepBodies(state: VoterState, added: OpaqueStep): VoterState {
  const others = state.steps.filter((step) => !equalBytes(step.hash, added.hash))
  const named = [state.vote?.stepHash, state.lock?.stepHash]
  const steps = [...others, added].filter((step) =>
    named.some((hash) => hash !== undefined && equalBytes(hash, step.hash)),
  )
  return { ...state, steps }
}

function refuse(state: VoterState, reason: RefusalReason, detail: string): Outcome {
  return { state, answer: refusal(reason, detail) }
}

function refusal(reason: RefusalReason, detail: string, item?: number): AnswerDraft {
  return { kind: 'refusal', reason, item, detail: cut(detail) }
}

function alarm(state: VoterState, detail: string): Outcome {
  return { state, answer: { kind: 'alarm', detail: cut(detail) } }
}

function cut(detail: string): string {
  return detail.slice(0, detailMax).toWellFormed()
}
