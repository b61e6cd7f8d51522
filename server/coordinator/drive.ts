import { setTimeout as sleep } from 'node:timers/promises'
import type { Request } from '@quorate/authority/agreement/exchange'
import type { Certificate, OpaqueStep } from '@quorate/authority/agreement/messages'
import {
  advance,
  type Advance,
  type Phase,
  type ProposerAction,
  type ProposerEvent,
  type Refused,
} from '@quorate/authority/agreement/proposer'
import type { Agreement } from '@quorate/authority/agreement/voter'
import { streamName } from '@quorate/authority/stream'
import type { SessionCall, SessionReply } from '@quorate/wire/link'
import type { Answered, Links } from '../link/links.ts'
import type { CatchUp } from './catch-up.ts'
import type { Seats } from './seats.ts'

/** A ceremony whose calls ride along with the messages of agreement. */
export type Rider = {
  /** Signers that are asked something beside such a message. */
  aboard(request: Request): readonly number[]
  /** What this signer is to be asked beside this message. */
  board(signer: number, request: Request): SessionCall | undefined
  /** `reply` is empty when the message was answered without a word about the ceremony. */
  arrived(signer: number, reply: SessionReply | 'timeout' | 'gone' | undefined): void
}

export type Journey = {
  readonly agreement: Agreement
  readonly links: Links
  readonly catchUp: CatchUp
  readonly seats: Seats
  readonly log: DriveLog
  /** Writes the row, or reads the one that is there. */
  readonly record: (ballot: number, step: OpaqueStep) => Promise<OpaqueStep>
  /**
   * The same wish once more, without what signers refuse; nothing when no wish is left. Where there is
   * no wish at all, it is driven until it is certified, or nobody can certify it any more.
   */
  readonly replace: ((unwanted: Unwanted) => Promise<OpaqueStep | undefined>) | undefined
  readonly rider: Rider | undefined
}
export type Unwanted = {
  readonly refusals: readonly Refused[]
  /** Has q of them voted for something here before? Then one may have a lock on it that the others have not seen. */
  readonly mayBeLocked: boolean
}
export type DriveLog = {
  warn(context: object, message: string): void
  error(context: object, message: string): void
}

export type Arrival =
  | {
      readonly kind: 'certified'
      readonly certificate: Certificate
      readonly step: OpaqueStep | undefined
    }
  /** The stream is beyond this place, and what stands here is not known to this server. */
  | { readonly kind: 'overtaken' }
  | { readonly kind: 'abandoned' }
  /**
   * Nothing that was proposed here below this ballot is certified, or ever will be: every signer has closed
   * the ballots below it, and has locked nothing in them. The word of a quorum is not enough: one lock is,
   * in any later ballot, for what it is on to be the only thing that may stand here.
   */
  | { readonly kind: 'closed'; readonly ballot: number }
  /** Too few signers answered, for too long; where there is no wish, one that was not there is too few. */
  | { readonly kind: 'stuck' }

/** A signer answers within milliseconds; one that has not by then will not be waited for. */
export const roundMsMax = 1_000
/** Whoever was left out at first still has half a round to answer in. */
const patienceMsMax = roundMsMax / 2
/** Waits between ballots grow from the first to the last, and are random, so that replicas part. */
const waitMs = { first: 20, last: 1_000 }
/** Enough for signers that come and go; after that the caller is told. */
const attemptsMax = 12

/** Signers that are not asked as long as those who are do answer. */
type Reserve = {
  readonly request: Request
  readonly signers: readonly number[]
  readonly timer: NodeJS.Timeout
}

/** Takes a step through agreement, wherever its place in the stream ends up. */
export function drive(journey: Journey, start: Advance): Promise<Arrival> {
  return new Promise((resolve, reject) => {
    const trip = new Trip(journey, { resolve, reject })
    trip.follow(start)
  })
}

/** The effects of the pure proposer: what it wants done is done, what comes of it is told to it. */
class Trip {
  private readonly journey: Journey
  private readonly end: {
    readonly resolve: (arrival: Arrival) => void
    readonly reject: (error: unknown) => void
  }
  private state: Advance['state'] | undefined
  private timer: NodeJS.Timeout | undefined
  private timed = ''
  private mayBeLocked = false
  private reserve: Reserve | undefined

  constructor(journey: Journey, end: Trip['end']) {
    this.journey = journey
    this.end = end
  }

  follow({ state, actions }: Advance): void {
    this.state = state
    this.time(state.phase, state.ballot)
    this.mayBeLocked ||= state.lock !== undefined
    if (this.isUnwanted(state.phase)) return this.close(state)
    for (const action of actions) this.act(action).catch((error) => this.fail(error))
  }

  private isUnwanted(phase: Phase): boolean {
    return phase === 'replacing' && this.journey.replace === undefined
  }

  /** Whoever has not promised yet may have a lock; one that is away says nothing about it today. */
  private close({ ballot, promises }: Advance['state']): void {
    const { links, agreement } = this.journey
    const heard = promises.map(({ statement }) => statement.signer)
    if (heard.length === agreement.trust.n) return this.leave({ kind: 'closed', ballot })
    const isWorthWaiting = links.connected().some((signer) => !heard.includes(signer))
    if (!isWorthWaiting) this.leave({ kind: 'stuck' })
  }

  private tell(event: ProposerEvent): void {
    if (this.state === undefined) return
    this.follow(advance(this.journey.agreement, this.state, event))
  }

  private finish(arrival: Arrival): void {
    clearTimeout(this.timer)
    this.dismiss()
    this.end.resolve(arrival)
  }

  private fail(error: unknown): void {
    this.state = undefined
    clearTimeout(this.timer)
    this.dismiss()
    this.end.reject(error)
  }

  /** Phases in which signers are waited for end by themselves after a round's time. */
  private time(phase: Phase, ballot: number): void {
    const name = `${phase} ${ballot}`
    if (name === this.timed) return
    this.timed = name
    clearTimeout(this.timer)
    this.dismiss()
    if (this.isUnwanted(phase))
      this.timer = setTimeout(() => this.leave({ kind: 'stuck' }), roundMsMax)
    if (phase !== 'voting' && phase !== 'sealing' && phase !== 'promising') return
    this.timer = setTimeout(() => this.tell({ kind: 'timeout', phase, ballot }), roundMsMax)
  }

  private async act(action: ProposerAction): Promise<void> {
    const { journey } = this
    switch (action.kind) {
      case 'mustRecord': {
        const { ballot } = action
        const step = await journey.record(ballot, action.step)
        return this.tell({ kind: 'recorded', ballot, step })
      }
      case 'send':
        return this.send(action.request, action.to)
      case 'wait':
        return this.wait(action.attempt)
      case 'replace': {
        // That some refuse it does not say that no others have certified it: the next ballot does.
        if (journey.replace === undefined) return
        const { refusals } = action
        const step = await journey.replace({ refusals, mayBeLocked: this.mayBeLocked })
        return step ? this.tell({ kind: 'replacement', step }) : this.leave({ kind: 'abandoned' })
      }
      case 'catchUp':
        return this.bring(action.signer, journey.agreement)
      case 'certified':
        return this.finish(action)
      case 'overtaken':
        return this.finish({ kind: 'overtaken' })
      case 'alarmed':
        return journey.log.error(
          { signer: action.signer, detail: action.detail },
          'a signer says that this organization must stop',
        )
    }
  }

  private leave(arrival: Arrival): void {
    this.state = undefined
    this.finish(arrival)
  }

  private async wait(attempt: number): Promise<void> {
    const ballot = this.state?.ballot ?? 0
    if (attempt > attemptsMax) return this.leave({ kind: 'stuck' })
    const most = Math.min(waitMs.first * 2 ** attempt, waitMs.last)
    await sleep(Math.random() * most)
    this.tell({ kind: 'timeout', phase: 'waiting', ballot })
  }

  private send(request: Request, to: number | undefined): void {
    if (to !== undefined) return this.askAll([to], request)
    const { n } = this.journey.agreement.trust
    const all = Array.from({ length: n }, (_, i) => i + 1)
    const seats = this.seatsFor(request) ?? all
    const signers = all.filter((signer) => !seats.includes(signer))
    if (signers.length > 0) this.hold(request, signers)
    this.askAll(seats, request)
  }

  private askAll(signers: readonly number[], request: Request): void {
    for (const signer of signers) this.ask(signer, request).catch((error) => this.fail(error))
  }

  /**
   * In a first ballot q signers are asked to vote, and to seal what they have voted for. Everybody
   * gets the certificate, and nobody is left out once a ballot has failed.
   */
  private seatsFor(request: Request): readonly number[] | undefined {
    const { links, agreement, seats, rider } = this.journey
    if (this.state === undefined || this.state.attempt > 0) return undefined
    if (request.kind === 'lock') return this.state.votes.map(({ statement }) => statement.signer)
    if (request.kind !== 'propose') return undefined
    const aboard = rider?.aboard(request) ?? []
    return seats.choose({ connected: links.connected(), enough: agreement.trust.q, aboard })
  }

  private hold(request: Request, signers: readonly number[]): void {
    const ms = Math.min(this.journey.seats.patienceMs(), patienceMsMax)
    const timer = setTimeout(() => {
      for (const signer of this.mute(signers)) this.journey.seats.missed(signer)
      this.call()
    }, ms)
    this.reserve = { request, signers, timer }
  }

  /** Those asked of whom nothing is known in this phase that counts. */
  private mute(besides: readonly number[]): readonly number[] {
    const { n } = this.journey.agreement.trust
    return Array.from({ length: n }, (_, i) => i + 1).filter(
      (signer) => !besides.includes(signer) && !this.hasSpoken(signer),
    )
  }

  private hasSpoken(signer: number): boolean {
    const { phase, votes = [], seals = [] } = this.state ?? {}
    const given = phase === 'sealing' ? seals : votes
    return given.some(({ statement }) => statement.signer === signer)
  }

  /** Those left out are asked as well: somebody has not answered, or not with what was asked for. */
  private call(): void {
    const { reserve } = this
    if (reserve === undefined) return
    this.dismiss()
    this.askAll(reserve.signers, reserve.request)
  }

  private dismiss(): void {
    clearTimeout(this.reserve?.timer)
    this.reserve = undefined
  }

  private async ask(signer: number, request: Request): Promise<void> {
    const { links, agreement, seats, rider } = this.journey
    const session = rider?.board(signer, request)
    const { organization, stream } = agreement
    const call = { kind: 'agree', organization, stream, request, session } as const
    const since = performance.now()
    const reply = await links.call(signer, call, roundMsMax)
    if (session !== undefined) rider?.arrived(signer, sessionOf(reply))
    if (hasConsent(reply)) seats.took(signer, performance.now() - since)
    this.take(signer, reply)
    if (this.reserve?.request === request && !this.hasSpoken(signer)) this.call()
  }

  private take(signer: number, reply: Answered): void {
    if (typeof reply === 'string' || reply.kind === 'busy') return
    if (reply.kind === 'agree') return this.hear(signer, reply.answer)
    const reason = reply.kind === 'failed' ? reply.reason : reply.kind
    this.journey.log.warn({ signer, reason }, 'a signer could not answer')
  }

  private hear(signer: number, answer: Extract<ProposerEvent, { kind: 'answer' }>['answer']): void {
    const { agreement, catchUp, log } = this.journey
    if (answer.kind === 'refusal') {
      // Its detail is for whoever asked: it may quote what a request says, which no log repeats.
      const { reason, item } = answer
      log.warn({ signer, reason, item, stream: agreement.stream.kind }, 'a signer refuses a step')
    }
    if ('statement' in answer && answer.statement.signer === signer) {
      const { statement } = answer
      const isHere = streamName(statement.stream) === streamName(agreement.stream)
      if (isHere && (answer.kind === 'head' || answer.kind === 'vote'))
        catchUp.note(signer, agreement, statement.seq)
      // It lacks what the step rests on, and says so in the name of that other stream.
      if (!isHere && answer.kind === 'behind')
        this.bring(signer, { ...agreement, stream: statement.stream }).catch((error) =>
          this.fail(error),
        )
    }
    this.tell({ kind: 'answer', signer, answer })
  }

  /** In the background: nobody waits for one who is late, but it gets to hear this step again. */
  private async bring(signer: number, place: Parameters<CatchUp['run']>[1]): Promise<void> {
    const { catchUp } = this.journey
    if (await catchUp.run(signer, place)) this.tell({ kind: 'caughtUp', signer })
  }
}

/** It has judged the step, and liked it. */
function hasConsent(reply: Answered): boolean {
  if (typeof reply === 'string' || reply.kind !== 'agree') return false
  return reply.answer.kind === 'vote' || reply.answer.kind === 'seal'
}

function sessionOf(reply: Answered): Parameters<Rider['arrived']>[1] {
  if (reply === 'timeout' || reply === 'gone') return reply
  if (reply.kind === 'busy') return { kind: 'busy' }
  return reply.kind === 'agree' ? reply.session : undefined
}
