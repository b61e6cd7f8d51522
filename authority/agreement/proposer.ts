import { equalBytes } from '@quorate/core/bytes'
import type { Answer, Refusal, RefusalReason, Request } from './exchange.ts'
import {
  type Certificate,
  type Lock,
  type Opening,
  type PromiseProof,
  type PromiseStatement,
  type Seal,
  type Signed,
  type Statement,
  type OpaqueStep,
  type Vote,
  certificateOf,
  isAbout,
  lockOf,
  openedBy,
  verifyPromise,
  verifySigned,
} from './messages.ts'
import { type Agreement, type HeadReport, ballotLeapMax, verifyReport } from './voter.ts'

/**
 * The server at one place of one stream: it brings a step to its certificate, or finds that another
 * one is there. It decides nothing. Pure: state and event in, state and actions out.
 */
export type ProposerState = {
  readonly phase: Phase
  readonly seq: number
  readonly previous: Uint8Array
  readonly headCertificate: Certificate | undefined
  /** What this server would like to see here. A lock may force another one. */
  readonly wanted: OpaqueStep
  /** Some signers refused `wanted` and it must not be proposed again of this server's own will. */
  readonly unwelcome: boolean
  readonly ballot: number
  /** Ballots begun here: the longer it takes, the longer the caller should wait. */
  readonly attempt: number
  /** The highest ballot that a signer said it has promised, within one leap. */
  readonly ballotSeen: number
  /** The step that the unique row gives this ballot. */
  readonly chosen: OpaqueStep | undefined
  readonly only: Uint8Array | undefined
  readonly bodies: readonly OpaqueStep[]
  readonly promises: readonly PromiseProof[]
  readonly opening: readonly PromiseProof[]
  readonly votes: readonly Signed<Vote>[]
  readonly seals: readonly Signed<Seal>[]
  readonly refusals: readonly Refused[]
  readonly silent: readonly number[]
  readonly lock: Lock | undefined
  readonly certificate: Certificate | undefined
}

export type Phase =
  | 'promising'
  | 'replacing'
  | 'recording'
  | 'voting'
  | 'sealing'
  | 'waiting'
  | 'certified'

export type Refused = { readonly signer: number; readonly refusal: Refusal }

/**
 * `recorded`: the unique row (organization, stream, seq, ballot) exists and holds `step`, be it
 * this server's or that of a replica which came first. `answer`: `signer` is whose channel it came
 * by. `timeout`: the phase named has taken long enough; one that is over is ignored. `caughtUp`:
 * the signer has been sent the certificates it lacked.
 */
export type ProposerEvent =
  | { readonly kind: 'recorded'; readonly ballot: number; readonly step: OpaqueStep }
  | { readonly kind: 'answer'; readonly signer: number; readonly answer: Answer }
  | { readonly kind: 'timeout'; readonly phase: Phase; readonly ballot: number }
  | { readonly kind: 'replacement'; readonly step: OpaqueStep }
  | { readonly kind: 'caughtUp'; readonly signer: number }

/**
 * `mustRecord`: insert the row, or read the one that is there, then send `recorded`; nothing is
 * proposed before. `send` without `to` is for all signers. `wait`: a random time that grows with
 * `attempt`, then `timeout`. `replace`: send a `replacement` without what was refused. `certified`:
 * the step is in force; it is not the wanted one if `step` is another or unknown here. `overtaken`:
 * the stream is beyond this place. `alarmed`: one signer says that the organization must stop.
 */
export type ProposerAction =
  | { readonly kind: 'mustRecord'; readonly ballot: number; readonly step: OpaqueStep }
  | { readonly kind: 'send'; readonly request: Request; readonly to?: number }
  | { readonly kind: 'wait'; readonly attempt: number }
  | { readonly kind: 'replace'; readonly refusals: readonly Refused[] }
  | { readonly kind: 'catchUp'; readonly signer: number; readonly fromSeq: number }
  | {
      readonly kind: 'certified'
      readonly certificate: Certificate
      readonly step: OpaqueStep | undefined
    }
  | { readonly kind: 'overtaken'; readonly certificate: Certificate }
  | { readonly kind: 'alarmed'; readonly signer: number; readonly detail: string }

export type Advance = {
  readonly state: ProposerState
  readonly actions: readonly ProposerAction[]
}

/** The ballot that needs no promises here: the one in which the step before was certified. */
export function openBallot(headCertificate: Certificate | undefined): number {
  return headCertificate?.ballot ?? 0
}

/** `headCertificate` is that of seq - 1 and must have been verified; none for the first step. */
export function startProposer(step: OpaqueStep, headCertificate: Certificate | undefined): Advance {
  const ballot = openBallot(headCertificate)
  const state: ProposerState = {
    ...newBallot(ballot),
    phase: 'recording',
    seq: step.seq,
    previous: step.previous,
    headCertificate,
    wanted: step,
    unwelcome: false,
    attempt: 0,
    ballotSeen: ballot,
    bodies: [step],
    certificate: undefined,
  }
  return { state, actions: [{ kind: 'mustRecord', ballot, step }] }
}

/** After the loss of the database: ask for promises first, as nobody knows what was proposed. */
export function startBlind(step: OpaqueStep, headCertificate: Certificate | undefined): Advance {
  return beginBallot(startProposer(step, headCertificate).state)
}

export function advance(agreement: Agreement, state: ProposerState, event: ProposerEvent): Advance {
  if (state.phase === 'certified') return afterwards(state, event)
  switch (event.kind) {
    case 'recorded':
      return onRecorded(agreement, state, event)
    case 'timeout':
      return onTimeout(state, event)
    case 'replacement':
      return onReplacement(agreement, state, event.step)
    case 'caughtUp':
      return still(state, repeat(state, event.signer))
    case 'answer':
      return onAnswer(agreement, state, event)
  }
}

function onAnswer(
  agreement: Agreement,
  state: ProposerState,
  { signer, answer }: { readonly signer: number; readonly answer: Answer },
): Advance {
  if (answer.kind === 'refusal') return onRefusal(agreement, state, { signer, refusal: answer })
  if (answer.kind === 'alarm')
    return still(state, [{ kind: 'alarmed', signer, detail: answer.detail }])

  const { statement, signature } = answer
  if (statement.signer !== signer || !isAbout(statement, agreement)) return still(state)
  if (statement.kind === 'vote') return onVote(agreement, state, { statement, signature })
  if (statement.kind === 'seal') return onSeal(agreement, state, { statement, signature })
  if (statement.kind === 'promise' && answer.kind === 'promise')
    return onPromise(agreement, state, { statement, signature, lock: answer.lock }, answer.step)
  if (statement.kind === 'head' && 'certificate' in answer)
    return onHead(agreement, state, { statement, signature, certificate: answer.certificate })
  return still(state)
}

/** A row of another replica wins; if a lock seen here forbids its step, the ballot is useless. */
function onRecorded(
  agreement: Agreement,
  state: ProposerState,
  { ballot, step }: { readonly ballot: number; readonly step: OpaqueStep },
): Advance {
  if (state.phase !== 'recording' || ballot !== state.ballot) return still(state)
  const fits = step.seq === state.seq && equalBytes(step.previous, state.previous)
  const allowed = state.only === undefined || equalBytes(state.only, step.hash)
  if (!fits || !allowed || !agreement.isStep(step)) return backOff(state)
  // Its certificate is of no use to anybody who does not get the body with it.
  const bodies = withBody(agreement, state.bodies, step)
  const proposed: ProposerState = { ...state, phase: 'voting', chosen: step, bodies }
  return { state: proposed, actions: repeat(proposed) }
}

function onVote(agreement: Agreement, state: ProposerState, vote: Signed<Vote>): Advance {
  if (state.phase !== 'voting' || !counts(agreement, state, vote, state.votes)) return still(state)
  const votes = [...state.votes, vote]
  const [first, ...others] = votes
  if (first === undefined || votes.length < agreement.trust.q)
    return withoutHope(agreement, { ...state, votes })
  const locked: ProposerState = {
    ...state,
    phase: 'sealing',
    votes,
    lock: lockOf([first, ...others]),
    silent: [],
  }
  return { state: locked, actions: repeat(locked) }
}

function onSeal(agreement: Agreement, state: ProposerState, seal: Signed<Seal>): Advance {
  if (state.phase !== 'sealing' || !counts(agreement, state, seal, state.seals)) return still(state)
  const seals = [...state.seals, seal]
  const [first, ...others] = seals
  if (first === undefined || seals.length < agreement.trust.q) return still({ ...state, seals })
  return certified({ ...state, seals }, certificateOf([first, ...others]))
}

function counts(
  agreement: Agreement,
  state: ProposerState,
  signed: Signed<Vote | Seal>,
  before: readonly Signed<Vote | Seal>[],
): boolean {
  const { statement } = signed
  return (
    state.chosen !== undefined &&
    statement.seq === state.seq &&
    statement.ballot === state.ballot &&
    equalBytes(statement.stepHash, state.chosen.hash) &&
    isNew(statement, before) &&
    verifySigned(signed, agreement.trust)
  )
}

function isNew(statement: Statement, before: readonly Signed<Statement>[]): boolean {
  return before.every((other) => other.statement.signer !== statement.signer)
}

/**
 * A lock whose step nobody brings cannot be proposed: such a promise is as good as none. Those that come while
 * a replacement is waited for count as well: they may show a lock, and only all n of them that there is none.
 */
function onPromise(
  agreement: Agreement,
  state: ProposerState,
  proof: PromiseProof & { readonly statement: PromiseStatement },
  step: OpaqueStep | undefined,
): Advance {
  const isAwaited = state.phase === 'promising' || state.phase === 'replacing'
  if (!isAwaited || !isNew(proof.statement, state.promises)) return still(state)
  const at: Opening = { ...agreement, ...state }
  const { ballot } = proof.statement
  if (ballot < state.ballot && verifyPromise(proof, { ...at, ballot }, agreement.trust))
    return climb(state, proof.statement)
  if (!verifyPromise(proof, at, agreement.trust)) return still(state)
  const bodies = withBody(agreement, state.bodies, step)
  const claim = proof.statement.lock
  if (claim !== undefined && !findBody(bodies, claim.stepHash)) return still(state)

  const promises = [...state.promises, proof].sort(bySigner)
  const grown = { ...state, promises, bodies }
  const opened = openedBy(promises, at, agreement.trust)
  return opened.ok ? onOpened({ ...grown, opening: promises, only: opened.only }) : still(grown)
}

function bySigner(a: PromiseProof, b: PromiseProof): number {
  return a.statement.signer - b.statement.signer
}

function onOpened(state: ProposerState): Advance {
  const step = state.only === undefined ? state.wanted : findBody(state.bodies, state.only)
  if (step === undefined) return backOff(state)
  if (state.only === undefined && state.unwelcome) return still({ ...state, phase: 'replacing' })
  return record(state, step)
}

function record(state: ProposerState, step: OpaqueStep): Advance {
  const { ballot } = state
  return still({ ...state, phase: 'recording' }, [{ kind: 'mustRecord', ballot, step }])
}

/** Heads are proved. A ballot is a mere claim, so it is believed up to one leap. */
function onHead(agreement: Agreement, state: ProposerState, report: HeadReport): Advance {
  if (!verifyReport(agreement, report)) return still(state)
  const { statement, certificate } = report
  if (statement.seq < state.seq) return onBehind(state, report)
  if (statement.seq > state.seq && certificate !== undefined)
    return statement.seq === state.seq + 1
      ? certified(state, certificate)
      : still({ ...state, phase: 'certified' }, [{ kind: 'overtaken', certificate }])
  if (statement.ballot < state.ballot) return climb(state, statement)
  const believed = Math.min(statement.ballot, state.ballot + ballotLeapMax - 1)
  const ballotSeen = Math.max(state.ballotSeen, believed)
  return withoutHope(agreement, silence({ ...state, ballotSeen }, statement))
}

/** Leads a signer that is many ballots below this one upwards, as it promises one leap at a time. */
function climb(
  state: ProposerState,
  at: { readonly signer: number; readonly ballot: number },
): Advance {
  const { phase, seq, headCertificate } = state
  if (phase !== 'promising') return still(state)
  const ballot = Math.min(state.ballot, at.ballot + ballotLeapMax)
  const request: Request = { kind: 'ballot', ballot, seq, headCertificate }
  return still(state, [{ kind: 'send', request, to: at.signer }])
}

function onBehind(state: ProposerState, { statement }: HeadReport): Advance {
  return still(state, [{ kind: 'catchUp', signer: statement.signer, fromSeq: statement.seq }])
}

function onRefusal(agreement: Agreement, state: ProposerState, refused: Refused): Advance {
  const silent = silence(state, refused)
  const bodyAsked = refused.refusal.reason === 'body_missing' && state.phase === 'sealing'
  if (bodyAsked && !state.silent.includes(refused.signer))
    return still(silent, repeat(silent, refused.signer))
  if (silent === state) return still(state)
  const refusals = state.phase === 'voting' ? [...state.refusals, refused] : state.refusals
  return withoutHope(agreement, { ...silent, refusals })
}

function silence(state: ProposerState, { signer }: { readonly signer: number }): ProposerState {
  return state.silent.includes(signer) ? state : { ...state, silent: [...state.silent, signer] }
}

/** Goes on to the next ballot as soon as q answers cannot come together any more in this one. */
function withoutHope(agreement: Agreement, state: ProposerState): Advance {
  const { n, q } = agreement.trust
  const given = { voting: state.votes, sealing: state.seals, promising: state.promises }
  if (state.phase !== 'voting' && state.phase !== 'sealing' && state.phase !== 'promising')
    return still(state)
  const heard = given[state.phase].map(({ statement }) => statement.signer)
  const mute = state.silent.filter((signer) => !heard.includes(signer))
  return n - mute.length < q ? backOff(state) : still(state)
}

function onTimeout(
  state: ProposerState,
  { phase, ballot }: { readonly phase: Phase; readonly ballot: number },
): Advance {
  if (phase !== state.phase || ballot !== state.ballot) return still(state)
  if (phase === 'waiting') return beginBallot(state)
  if (phase === 'recording' || phase === 'replacing') return still(state)
  return backOff(state)
}

function backOff(state: ProposerState): Advance {
  const ours = state.chosen !== undefined && equalBytes(state.chosen.hash, state.wanted.hash)
  const disliked = state.refusals.filter(({ refusal }) => isAboutStep(refusal))
  const replace = ours && disliked.length > 0 && state.lock === undefined
  const waiting: ProposerState = {
    ...state,
    phase: 'waiting',
    unwelcome: state.unwelcome || replace,
    attempt: state.attempt + 1,
  }
  const wait = { kind: 'wait', attempt: waiting.attempt } as const
  const ask = { kind: 'replace', refusals: disliked } as const
  return { state: waiting, actions: replace ? [ask, wait] : [wait] }
}

const aboutSteps: ReadonlySet<RefusalReason> = new Set<RefusalReason>([
  'invalid',
  'not_fresh',
  'malformed',
  'early',
  'late',
])

function isAboutStep({ reason }: Refusal): boolean {
  return aboutSteps.has(reason)
}

function beginBallot(state: ProposerState): Advance {
  const ballot = Math.max(state.ballot, state.ballotSeen) + 1
  const begun: ProposerState = { ...state, ...newBallot(ballot), phase: 'promising' }
  return { state: begun, actions: repeat(begun) }
}

function newBallot(ballot: number) {
  return {
    ballot,
    chosen: undefined,
    only: undefined,
    promises: [],
    opening: [],
    votes: [],
    seals: [],
    refusals: [],
    silent: [],
    lock: undefined,
  } as const
}

function onReplacement(agreement: Agreement, state: ProposerState, step: OpaqueStep): Advance {
  const fits = step.seq === state.seq && equalBytes(step.previous, state.previous)
  if (!fits || !agreement.isStep(step)) return still(state)
  const bodies = withBody(agreement, state.bodies, step)
  const replaced: ProposerState = { ...state, wanted: step, unwelcome: false, bodies }
  return state.phase === 'replacing' ? record(replaced, step) : still(replaced)
}

function withBody(
  { isStep }: Agreement,
  bodies: readonly OpaqueStep[],
  step: OpaqueStep | undefined,
): readonly OpaqueStep[] {
  if (step === undefined || findBody(bodies, step.hash) || !isStep(step)) return bodies
  return [...bodies, step]
}

function findBody(bodies: readonly OpaqueStep[], hash: Uint8Array): OpaqueStep | undefined {
  return bodies.find((body) => equalBytes(body.hash, hash))
}

function certified(state: ProposerState, certificate: Certificate): Advance {
  const step = findBody(state.bodies, certificate.stepHash)
  const done: ProposerState = { ...state, phase: 'certified', certificate }
  return { state: done, actions: [{ kind: 'certified', certificate, step }, ...repeat(done)] }
}

function afterwards(state: ProposerState, event: ProposerEvent): Advance {
  return still(state, event.kind === 'caughtUp' ? repeat(state, event.signer) : [])
}

/** What this phase has to say, to everybody or again to one signer. */
function repeat(state: ProposerState, to?: number): readonly ProposerAction[] {
  const request = requestOf(state)
  if (request === undefined) return []
  return [{ kind: 'send', request, ...(to === undefined ? {} : { to }) }]
}

function requestOf(state: ProposerState): Request | undefined {
  const { phase, seq, ballot, headCertificate, chosen, lock, certificate } = state
  if (phase === 'promising' || phase === 'replacing')
    return { kind: 'ballot', ballot, seq, headCertificate }
  if (phase === 'voting' && chosen !== undefined)
    return { kind: 'propose', ballot, step: chosen, headCertificate, promises: state.opening }
  if (phase === 'sealing' && lock !== undefined) return { kind: 'lock', lock, step: chosen }
  if (phase === 'certified' && certificate !== undefined) {
    const step = findBody(state.bodies, certificate.stepHash)
    return { kind: 'certificate', certificate, step }
  }
  return undefined
}

function still(state: ProposerState, actions: readonly ProposerAction[] = []): Advance {
  return { state, actions }
}
