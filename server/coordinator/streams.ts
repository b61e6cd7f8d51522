import { setTimeout as sleep } from 'node:timers/promises'
import { equalBytes, toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import type { Refusal, Request } from '@quorate/authority/agreement/exchange'
import {
  type OpaqueStep,
  opaqueBytesMax,
  type Subject,
  type Trust,
} from '@quorate/authority/agreement/messages'
import { type Refused, startProposer } from '@quorate/authority/agreement/proposer'
import type { Agreement } from '@quorate/authority/agreement/voter'
import { decodeBody } from '@quorate/authority/body'
import { isOpaqueStep } from '@quorate/authority/opaque-step'
import type { Write } from '@quorate/authority/records'
import { blockedReason, heldReason } from '@quorate/authority/reduce/approved'
import type { Rules } from '@quorate/authority/reduce/judging'
import { reduceStep } from '@quorate/authority/reduce/step'
import {
  encodeEvidence,
  itemsMax,
  type Evidence,
  type ItemKind,
  type ItemOperation,
} from '@quorate/authority/step'
import { rootOf, streamName } from '@quorate/authority/stream'
import type { Links } from '../link/links.ts'
import type { CatchUp } from './catch-up.ts'
import { draftNext, type Drafted } from './draft.ts'
import { type Arrival, drive, type DriveLog, type Rider, type Unwanted } from './drive.ts'
import type { Leases } from './leases.ts'
import type { Hours } from './hours.ts'
import { type Certified, type Ledger, opaqueOf } from './ledger.ts'
import type { Seats } from './seats.ts'
import { openTurnstile, type Turnstile } from './turnstile.ts'
import type { Views } from './views.ts'

export type Streams = ReturnType<typeof openStreams>
export type StreamsWorld = {
  readonly links: Links
  readonly ledger: Ledger
  readonly views: Views
  readonly leases: Leases
  readonly catchUp: CatchUp
  readonly seats: Seats
  readonly hours: Hours
  readonly rules: Rules
  readonly trust: Trust
  readonly log: DriveLog
  readonly clock: () => number
}

/** An item that somebody wants in a stream. */
export type Wish = {
  readonly kind: ItemKind
  readonly evidence: Evidence
  /** Of what a sponsor pays, if it is not the first for its request. */
  readonly bid?: number | undefined
  /** SHA-256 of the pre-image, or what names the second use of such a request. */
  readonly request: Uint8Array
  /** Asked just before it is proposed; where it says no, it is not. */
  readonly isWanted?: (() => boolean) | undefined
  /** Boards the messages of the step in which the wish stands. */
  readonly riderFor?: (at: { readonly seq: number; readonly hash: Uint8Array }) => Rider
}
/** Where it came to stand, be it by this wish or by an earlier one of the same request. */
export type Standing = { readonly place: Subject; readonly step: Certified; readonly item: number }

type Job = Wish & {
  readonly resolve: (standing: Standing) => void
  readonly reject: (error: unknown) => void
}
/** Whoever has to know what has become of what was proposed. */
type Waiter = { readonly resolve: () => void; readonly reject: (error: unknown) => void }

/**
 * Steps under way at once, of all streams. Four signers that share two cores need some 15 ms each for
 * one with its signature: so many leave a round three quarters of its deadline. Where every signer has
 * cores of its own, few ever wait.
 */
const turnsMax = 16
/** Streams that wait: a minute's work. */
const turnsWaitingMax = 4_096
/** More than wait than this has no purpose: they would be too old before their turn. */
const queueMax = 1_024
/** What the items of one step may weigh together, so that it stays a step with all it carries. */
const batchBytesMax = opaqueBytesMax / 2
/** Turns in a row in which a job may find that replicas were faster. */
const fruitlessMax = 64
const lost = 'another server has it by now'
const overrun = 'other servers were faster, again and again'
/** Each time another server has proposed something there since. */
const concludedMax = 8
/** Times that a step as a whole is proposed anew after refusals that name no item. */
const replacementsMax = 3
/** How long a replica may take to write down what it saw certified. */
const patience = { times: 40, ms: 50 }

/** One queue for each stream: a step is drafted only when the one before it is in force. */
export function openStreams(world: StreamsWorld) {
  const queues = new Map<string, Queue>()
  const through = openTurnstile(turnsMax, turnsWaitingMax)
  const nameOf = ({ organization, stream }: Subject) =>
    `${toHex(organization)}/${streamName(stream)}`

  function queueOf(place: Subject): Queue {
    const name = nameOf(place)
    const queue =
      queues.get(name) ?? new Queue(world, place, { through, leave: () => queues.delete(name) })
    queues.set(name, queue)
    return queue
  }

  return {
    /**
     * @throws Failure `request.refused`, `signers.unavailable`, `signing.failed`, `clock.wrong`
     */
    settle: (place: Subject, wish: Wish): Promise<Standing> => queueOf(place).add(wish),
    /**
     * Ends what was proposed in a stream, by whichever server, and is not known here to have ended:
     * afterwards each of it is in force and kept, or no signer will ever count it. That takes the word of
     * every signer, or another step in its place, which whatever is wished for there brings. Asks nobody
     * where nothing is open.
     * @throws Failure `signers.unavailable`, `signing.failed`, `clock.wrong` where that could not be found out
     */
    conclude: async (place: Subject): Promise<void> => {
      for (let times = 0; await world.ledger.isOpen(place); times++) {
        if (times >= concludedMax) throw new Failure('signing.failed', { reason: overrun })
        await queueOf(place).conclude()
      }
    },
  }
}

class Queue {
  private readonly world: StreamsWorld
  private readonly place: Subject
  private readonly through: Turnstile
  private readonly leave: () => void
  private readonly jobs: Job[] = []
  private readonly waiters: Waiter[] = []
  private running: Promise<void> | undefined

  constructor(
    world: StreamsWorld,
    place: Subject,
    { through, leave }: { readonly through: Turnstile; readonly leave: () => void },
  ) {
    this.world = world
    this.place = place
    this.through = through
    this.leave = leave
  }

  add(wish: Wish): Promise<Standing> {
    if (this.jobs.length >= queueMax) return Promise.reject(tooMany())
    return new Promise((resolve, reject) => {
      this.jobs.push({ ...wish, resolve, reject })
      this.wake()
    })
  }

  conclude(): Promise<void> {
    if (this.waiters.length >= queueMax) return Promise.reject(tooMany())
    return new Promise((resolve, reject) => {
      this.waiters.push({ resolve, reject })
      this.wake()
    })
  }

  private wake(): void {
    this.running ??= this.work()
  }

  private async work(): Promise<void> {
    // What comes in the same moment shares a step.
    await undefined
    let fruitless = 0
    while (this.jobs.length > 0 || this.waiters.length > 0) {
      await this.endOpen()
      const batch = this.take()
      if (batch.length === 0) continue
      try {
        if (fruitless > fruitlessMax) throw new Failure('signing.failed', { reason: overrun })
        const turn = new Turn(this.world, this.place, batch)
        const left = await this.through(() => turn.run())
        fruitless = left.length < batch.length ? 0 : fruitless + 1
        this.jobs.unshift(...left)
      } catch (error) {
        for (const job of batch) job.reject(error)
      }
    }
    this.running = undefined
    this.leave()
    await this.world.leases
      .release(this.place)
      .catch((error) => this.world.log.warn({ err: error }, 'a lease was not released'))
  }

  /** What others wish for comes after it in any case. */
  private async endOpen(): Promise<void> {
    const waiters = this.waiters.splice(0)
    if (waiters.length === 0) return
    try {
      await this.through(() => new Turn(this.world, this.place, []).run())
      for (const { resolve } of waiters) resolve()
    } catch (error) {
      for (const { reject } of waiters) reject(error)
    }
  }

  /** Uses of a key stand alone in their step, as a signature rides along with it. */
  private take(): readonly Job[] {
    const most = this.place.stream.kind === 'root' ? itemsMax : 1
    let [count, size] = [0, 0]
    for (const job of this.jobs.slice(0, most)) {
      size += encodeEvidence(job.evidence).length
      if (count > 0 && (size > batchBytesMax || job.kind === 'genesis')) break
      count += 1
      if (job.kind === 'genesis') break
    }
    return this.jobs.splice(0, count)
  }
}

function tooMany(): Failure {
  return new Failure('signing.failed', { reason: 'too many wait for this key' })
}

/** One step of one stream, from its draft to its certificate; without jobs, of what is open there. */
class Turn {
  private readonly world: StreamsWorld
  private readonly place: Subject
  private jobs: readonly Job[]
  private readonly isForOpen: boolean
  private drafted: Drafted | undefined
  private rider: { readonly hash: Uint8Array; readonly rider: Rider } | undefined
  private replacements = 0

  constructor(world: StreamsWorld, place: Subject, jobs: readonly Job[]) {
    this.world = world
    this.place = place
    this.jobs = jobs
    this.isForOpen = jobs.length === 0
  }

  /** @returns the jobs that have to come again, since another step took the place */
  async run(): Promise<readonly Job[]> {
    const { views, ledger, hours } = this.world
    await hours.checkKnown()
    this.world.catchUp.watch(this.place)
    // Two servers seldom use one key at once; the unique row tells them apart then.
    if (this.place.stream.kind === 'root') await this.world.leases.acquire(this.place)
    const [, head] = await Promise.all([
      this.place.stream.kind === 'root' ? undefined : views.refresh(this.root()),
      views.refresh(this.place),
    ])
    const seq = head === undefined ? 0 : head.seq + 1
    const wanted = this.isForOpen ? await ledger.proposed(this.place, seq) : await this.draft()
    if (wanted === undefined) return []
    this.requireQuorum()
    await this.prepareSigners()
    const arrival = await this.drive(wanted, head)
    return this.arrived(arrival, seq)
  }

  private root(): Subject {
    return { ...this.place, stream: rootOf(this.place.organization) }
  }

  /** Drafts what is left of the jobs; one that is refused gets its answer and is gone. */
  private async draft(): Promise<OpaqueStep | undefined> {
    const { views, rules, clock } = this.world
    this.dropUnwanted()
    while (this.jobs.length > 0) {
      const asked = this.jobs.map(({ kind, evidence, bid }) => ({ kind, evidence, bid }))
      const now = clock()
      const made = await views.read(this.place, (snapshot) =>
        draftNext(this.place, asked, { snapshot, rules, now }),
      )
      if (made.ok) {
        this.drafted = made
        return made.opaque
      }
      await this.refuse(made.item ?? 0, made.reason)
    }
    return undefined
  }

  /** It has waited here for longer than whoever wished for it could hold on to what it is for. */
  private dropUnwanted(): void {
    const [wanted, others] = [[] as Job[], [] as Job[]]
    for (const job of this.jobs) (job.isWanted?.() === false ? others : wanted).push(job)
    this.jobs = wanted
    for (const { reject } of others) reject(new Failure('signing.failed', { reason: lost }))
  }

  /**
   * A request that stands already is no refusal: whoever asks again gets what there is. Nor is one of
   * rules that were asked about a time which it is not.
   * @throws Failure `clock.wrong`, `signing.failed`
   */
  private async refuse(item: number, reason: string): Promise<void> {
    const { ledger, hours } = this.world
    const job = this.jobs[item]
    this.jobs = this.jobs.filter((_, i) => i !== item)
    if (job === undefined) throw new Error(`A step was refused for an item it has not: ${reason}`)
    const found = await standingAs(ledger, this.place.organization, job)
    if (found !== undefined) return job.resolve(found)
    await hours.check()
    job.reject(refusalFor(reason))
  }

  private requireQuorum(): void {
    const { links, trust } = this.world
    if (links.connected().length < trust.q) throw this.unavailable()
  }

  private unavailable(): Failure {
    const { links, rules } = this.world
    const connected = links.connected()
    const missing = rules.manifest.signers.flatMap(({ id }, i) =>
      connected.includes(i + 1) ? [] : [id],
    )
    return missing.length > 0
      ? new Failure('signers.unavailable', { missing })
      : new Failure('signing.failed', { reason: 'the signers did not agree in time' })
  }

  /** Whoever does not know the root head that a step names cannot vote for it. */
  private async prepareSigners(): Promise<void> {
    const { links, trust, catchUp } = this.world
    const named = this.drafted?.step.heads[0]
    if (named === undefined) return
    const signers = links.connected()
    await catchUp.reach(this.root(), { seq: named.seq, signers, enough: trust.q }, () => undefined)
  }

  private drive(wanted: OpaqueStep, head: Certified | undefined): Promise<Arrival> {
    const { links, ledger, catchUp, seats, trust, log } = this.world
    const { place } = this
    const agreement: Agreement = {
      ...place,
      trust,
      isStep: (step) => isOpaqueStep(place, step),
    }
    return drive(
      {
        agreement,
        links,
        catchUp,
        seats,
        log,
        record: (ballot, step) => ledger.propose(place, ballot, step),
        replace: this.isForOpen ? undefined : (unwanted) => this.replace(unwanted),
        rider: this.ticket(),
      },
      startProposer(wanted, head?.certificate),
    )
  }

  /** Rides with whichever of this turn's drafts is proposed, and with no other step. */
  private ticket(): Rider | undefined {
    const [job, ...others] = this.jobs
    const riderFor = job?.riderFor
    if (riderFor === undefined || others.length > 0) return undefined
    const current = (hash: Uint8Array): Rider | undefined => {
      const opaque = this.drafted?.opaque
      if (opaque === undefined || !equalBytes(opaque.hash, hash)) return undefined
      if (this.rider === undefined || !equalBytes(this.rider.hash, hash))
        this.rider = { hash, rider: riderFor({ seq: opaque.seq, hash }) }
      return this.rider.rider
    }
    const riderOf = (request: Request): Rider | undefined => {
      const hash =
        request.kind === 'propose'
          ? request.step.hash
          : request.kind === 'lock'
            ? request.lock.stepHash
            : request.kind === 'certificate'
              ? request.certificate.stepHash
              : undefined
      return hash && current(hash)
    }
    return {
      aboard: (request) => riderOf(request)?.aboard(request) ?? [],
      board: (signer, request) => riderOf(request)?.board(signer, request),
      arrived: (signer, reply) => this.rider?.rider.arrived(signer, reply),
    }
  }

  /**
   * What a threshold of signers refuses, at least one honest one does. They refuse an item, which is
   * somebody's request and has its answer by that; or the step, for its time, its heads or its form,
   * which is nobody's fault but this server's: that is drafted anew, and nobody's request ends by it.
   * What one of them may have locked stays open, for whoever has to know before a request ends.
   * @throws Failure `clock.wrong`, `signers.unavailable`, `signing.failed`
   */
  private async replace({ refusals, mayBeLocked }: Unwanted): Promise<OpaqueStep | undefined> {
    const { views, ledger } = this.world
    this.replacements += 1
    const refused = this.jobs.flatMap((job, i) => {
      const by = refusals.filter(({ refusal }) => refusal.item === i)
      return this.isEnough(by) ? [{ job, detail: by[0]?.refusal.detail ?? '' }] : []
    })
    const isHopeless = refused.length === 0 && this.replacements > replacementsMax
    if ((refused.length > 0 || isHopeless) && this.drafted && !mayBeLocked)
      await ledger.withdraw(this.place, this.drafted.opaque)
    if (isHopeless) throw this.hopelessness(refusals)
    for (const { job, detail } of refused) await this.refuse(this.jobs.indexOf(job), detail)
    if (this.place.stream.kind !== 'root') await views.refresh(this.root())
    return this.draft()
  }

  private isEnough(refusals: readonly Refused[]): boolean {
    return refusals.length >= this.world.rules.manifest.threshold
  }

  /** So few say otherwise that they may all be corrupt: then this server's clock is not the matter. */
  private hopelessness(refusals: readonly Refused[]): Failure {
    const of = (reason: Refusal['reason']) =>
      this.isEnough(refusals.filter(({ refusal }) => refusal.reason === reason))
    const clock = of('late') ? 'ahead' : of('early') ? 'behind' : undefined
    if (clock === undefined) return this.unavailable()
    this.world.hours.tell(clock)
    return new Failure('clock.wrong', { clock })
  }

  private async arrived(arrival: Arrival, seq: number): Promise<readonly Job[]> {
    if (arrival.kind === 'abandoned') return []
    if (arrival.kind === 'closed') {
      await this.world.ledger.close(this.place, { seq, ballot: arrival.ballot })
      return []
    }
    if (arrival.kind === 'stuck') throw this.unavailable()
    if (arrival.kind === 'overtaken' || arrival.step === undefined) {
      await this.waitForReplica(seq)
      return this.jobs
    }
    const { step, certificate } = arrival
    const isOurs = this.drafted !== undefined && equalBytes(this.drafted.opaque.hash, step.hash)
    const writes = isOurs && this.drafted ? this.drafted.writes : await this.replay(step)
    await this.world.ledger.keep(this.place, step, { certificate, writes })
    const { hash, time, bytes: body } = step
    const certified: Certified = { seq, hash, time, body, certificate }
    this.world.views.advance(this.place, certified, writes)
    if (!isOurs) return this.jobs
    for (const [item, job] of this.jobs.entries())
      job.resolve({ place: this.place, step: certified, item })
    return []
  }

  /** Another replica's step, or one of an earlier life: the rules say what it changes. */
  private async replay(opaque: OpaqueStep): Promise<readonly Write[]> {
    const { views, rules } = this.world
    const { step, evidence } = decodeBody(opaque.bytes)
    const root = step.heads[0]?.seq ?? step.seq - 1
    const outcome = await views.readAt(this.place, { root, own: step.seq - 1 }, (reader) =>
      reduceStep(step, evidence, reader, rules),
    )
    if (!outcome.ok) throw new Error(`A certified step is not valid: ${outcome.reason}`)
    return outcome.writes
  }

  private async waitForReplica(seq: number): Promise<void> {
    for (let i = 0; i < patience.times; i++) {
      const head = await this.world.views.refresh(this.place)
      if (head !== undefined && head.seq >= seq) return
      await sleep(patience.ms)
    }
    throw new Failure('signing.failed', { reason: 'the log here is behind that of the signers' })
  }
}

/** Where the request stands as what it is asked to be: one that is held stands there as that alone. */
export async function standingAs(
  ledger: Ledger,
  organization: Uint8Array,
  { kind, request }: Pick<Wish, 'kind' | 'request'>,
): Promise<Standing | undefined> {
  const isRenewal = kind === 'renew' || kind === 'sponsorRenewal'
  const found = isRenewal ? undefined : await standingOf(ledger, organization, request)
  const isIt =
    found !== undefined && (operationAt(found).kind === 'approval') === (kind === 'approval')
  return isIt ? found : undefined
}

/** Why the rules refuse it, as the rest of the server tells it apart. */
export function refusalFor(reason: string): Failure {
  if (reason.startsWith(heldReason))
    return new Failure('policy.held', { reason: reason.slice(heldReason.length) })
  if (reason.startsWith(blockedReason))
    return new Failure('policy.blocked', { reason: reason.slice(blockedReason.length) })
  return new Failure('request.refused', { reason })
}

export async function standingOf(
  ledger: Ledger,
  organization: Uint8Array,
  request: Uint8Array,
): Promise<Standing | undefined> {
  const found = await ledger.place(organization, request)
  if (found === undefined) return undefined
  const place = { organization, stream: found.stream }
  const step = await ledger.step(place, found.seq)
  return step && { place, step, item: found.item }
}

/** The evidence that stands beside an item in force. */
export function operationAt({ step, item }: Standing): ItemOperation {
  const operation = decodeBody(opaqueOf(step.body).bytes).step.items[item]?.operation
  if (operation === undefined) throw new Error('A step in force has no such item.')
  return operation
}

export function evidenceAt({ step, item }: Standing): Evidence {
  const evidence = decodeBody(opaqueOf(step.body).bytes).evidence[item]
  if (evidence === undefined) throw new Error('A step in force has no such item.')
  return evidence
}
