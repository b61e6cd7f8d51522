import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signStatement, type Answer, type Request } from '@quorate/authority/agreement/exchange'
import {
  certificateOf,
  lockOf,
  type Certificate,
  type Lock,
  type OpaqueStep,
  type Seal,
  type Signed,
  type Vote,
} from '@quorate/authority/agreement/messages'
import { keyStream, rootOf, type StreamId } from '@quorate/authority/stream'
import { requestHash } from '@quorate/authority/request'
import type { Rules } from '@quorate/authority/reduce/judging'
import type { Asked } from '@quorate/authority/reduce/asked'
import type { Evidence, ItemKind, Step, WholeEvidence } from '@quorate/authority/step'
import { createdName, idOf, type IdKind } from '@quorate/core/id'
import { rulesFor } from '@quorate/judge/rules'
import {
  decodeFrame,
  encodeFrame,
  type Call,
  type Reply,
  type SessionCall,
} from '@quorate/wire/link'
import { keyEncryption } from '../kek.ts'
import type { Log } from '../log.ts'
import { openOwnFacts } from '../own-facts.ts'
import { openSigner, type Signer } from '../signer.ts'
import { markOf, openMarkedStore } from '../store/mark.ts'
import type { Store } from '../store/store.ts'
import { SessionWorker } from '../worker/worker.ts'
import { entry, makeCluster, signAs, type Cluster, type Numbers } from './cluster.ts'
import { draft, Ledger, type Drafted, type Place } from './ledger.ts'
import { genesisRequest, signedRequest, type Ask, type Person } from './requests.ts'

/**
 * A small platform in one process: real signers, each with its own file and keys, behind the real
 * wire format; a server that is whatever the test wants it to be; a clock that is set by hand.
 * Signers that are not run are played with their identity keys: each of those says yes to anything.
 */
export type WorldOptions = {
  readonly numbers?: Numbers
  /** Indexes of the signers that run in this process; all of them unless said. */
  readonly real?: readonly number[]
  /** One whose keys lie in files, for signers that are processes; made up unless given. */
  readonly cluster?: Cluster
  readonly now?: number
}

export type Desk = (call: Call) => Promise<Reply>

export type Member = {
  readonly index: number
  readonly signer: Signer
  readonly store: Store
  readonly file: string
  readonly kek: Uint8Array
  readonly defects: unknown[]
  readonly lines: string[]
}

/** A new moment far from any boundary: 2026-01-01. */
const firstMoment = 1_767_225_600_000

export class World {
  readonly cluster: Cluster
  readonly rules: Rules
  readonly ledger = new Ledger()
  readonly dir = mkdtempSync(join(tmpdir(), 'quorate-signer-'))
  readonly members = new Map<number, Member>()
  /** Full ids of everything that was made, by name. */
  readonly ids = new Map<string, Uint8Array>()
  /** One for all of them: a machine has only so many cores. */
  readonly worker = new SessionWorker((event) => this.workerLines.push(JSON.stringify(event)))
  readonly workerLines: string[] = []
  /** What the clocks of all signers show. `drift` is that of one of them. */
  now: number
  readonly drift = new Map<number, number>()
  /** Of steady time, which nobody sets. */
  steady = 0
  private administrator_: Person | undefined

  /** Where each signer that is not played takes its calls. */
  private readonly desks = new Map<number, Desk>()

  constructor({ numbers, real, cluster, now = firstMoment }: WorldOptions = {}) {
    this.cluster = cluster ?? makeCluster(numbers)
    this.now = now
    this.rules = rulesFor(this.cluster.manifest)
    for (const index of real ?? this.indexes) this.open(index)
  }

  get indexes(): readonly number[] {
    return this.cluster.manifest.signers.map((_, i) => i + 1)
  }

  /** Is every signer real, so that there can be a key generation? */
  get isComplete(): boolean {
    return this.desks.size === this.indexes.length
  }

  get administrator(): Person {
    if (this.administrator_ === undefined) throw new Error('there is no organization yet')
    return this.administrator_
  }

  get organization(): Uint8Array {
    return this.administrator.organization
  }

  get root(): Place {
    return { organization: this.organization, stream: rootOf(this.organization) }
  }

  /** Time goes by, for everybody. */
  pass(ms: number): void {
    this.now += ms
    this.steady += ms
  }

  open(index: number, { kek = random(32), file = this.storeFile(index) }: Opened = {}): Member {
    // What whoever sets up a signer does once.
    if (!existsSync(file) && !existsSync(markOf(file))) writeFileSync(markOf(file), '0\n')
    const store = openMarkedStore(file)
    const [defects, lines]: [unknown[], string[]] = [[], []]
    const log: Log = (event) => lines.push(JSON.stringify(event))
    const signer = openSigner({
      self: {
        index,
        manifest: this.cluster.manifest,
        bootId: random(16),
        sign: (message) => signAs(this.cluster, index, message),
      },
      store,
      keyEncryption: keyEncryption(kek),
      clock: {
        wall: () => this.now + (this.drift.get(index) ?? 0),
        steady: () => this.steady,
      },
      random,
      worker: this.worker,
      ownFacts: openOwnFacts(this.factsFile(index), log),
      log,
      onDefect: (error) => defects.push(error),
    })
    const member = { index, signer, store, file, kek, defects, lines }
    this.members.set(index, member)
    this.attach(index, (call) => signer.answer(call))
    return member
  }

  /** Its process ends, for good or until it is attached elsewhere. */
  leave(index: number): void {
    const { signer, store } = this.member(index)
    signer.close()
    store.close()
    this.members.delete(index)
    this.desks.delete(index)
  }

  /** A signer that runs somewhere else. */
  attach(index: number, desk: Desk): void {
    this.desks.set(index, desk)
  }

  /** The process ends, and another begins with the same store. */
  restart(index: number): Member {
    const { signer, store, kek, file } = this.member(index)
    signer.close()
    store.close()
    return this.open(index, { kek, file })
  }

  storeFile(index: number): string {
    return join(this.dir, `store-${index}.sqlite`)
  }

  factsFile(index: number): string {
    return join(this.dir, `facts-${index}.json`)
  }

  /** The operator gives this signer a fact file of its own, or takes it away. */
  giveFacts(index: number, file: object | undefined): void {
    const path = this.factsFile(index)
    if (file === undefined) return rmSync(path, { force: true })
    writeFileSync(`${path}.new`, JSON.stringify(file))
    renameSync(`${path}.new`, path)
  }

  member(index: number): Member {
    const member = this.members.get(index)
    if (member === undefined) throw new Error(`signer ${index} is not real in this world`)
    return member
  }

  /** Asks as a server does: through the wire's own bytes, both ways. */
  async ask(index: number, call: Call): Promise<Reply> {
    const sent = decodeFrame(encodeFrame({ kind: 'call', number: 1, call }))
    if (sent.kind !== 'call') throw new Error('not a call')
    const desk = this.desks.get(index)
    if (desk === undefined) throw new Error(`signer ${index} is only played in this world`)
    const reply = await desk(sent.call)
    const received = decodeFrame(encodeFrame({ kind: 'reply', number: 1, reply }))
    if (received.kind !== 'reply') throw new Error('not a reply')
    return received.reply
  }

  async agree(index: number, place: Place, request: Request, session?: SessionCall) {
    const { organization, stream } = place
    const reply = await this.ask(index, { kind: 'agree', organization, stream, request, session })
    if (reply.kind !== 'agree') throw new Error(`a ${reply.kind} in place of an answer`)
    return reply
  }

  async answer(index: number, place: Place, request: Request): Promise<Answer> {
    return (await this.agree(index, place, request)).answer
  }

  async session(index: number, session: SessionCall) {
    const reply = await this.ask(index, { kind: 'session', session })
    if (reply.kind !== 'session') throw new Error(`a ${reply.kind} in place of a session`)
    return reply.session
  }

  propose(place: Place, step: OpaqueStep, ballot = 0): Extract<Request, { kind: 'propose' }> {
    const headCertificate = this.ledger.of(place.stream).at(-1)?.certificate
    return { kind: 'propose', ballot, step, headCertificate, promises: [] }
  }

  /** A played signer's yes, whatever it is to. */
  vote(index: number, place: Place, step: OpaqueStep, ballot = 0): Signed<Vote> {
    const statement = { kind: 'vote', ...this.said(index, place, step, ballot) } as const
    return signStatement(statement, (message) => signAs(this.cluster, index, message))
  }

  seal(index: number, place: Place, step: OpaqueStep, ballot = 0): Signed<Seal> {
    const statement = { kind: 'seal', ...this.said(index, place, step, ballot) } as const
    return signStatement(statement, (message) => signAs(this.cluster, index, message))
  }

  /** Made of the identity keys alone: the signers need not have agreed to it. */
  lockBy(indexes: readonly number[], place: Place, step: OpaqueStep, ballot = 0): Lock {
    return lockOf(some(indexes.map((index) => this.vote(index, place, step, ballot))))
  }

  certificateBy(
    indexes: readonly number[],
    place: Place,
    step: OpaqueStep,
    ballot = 0,
  ): Certificate {
    return certificateOf(some(indexes.map((index) => this.seal(index, place, step, ballot))))
  }

  draft(place: Place, asked: readonly Asked[], change?: (step: Step) => Step): Drafted {
    const { ledger, rules, now: time } = this
    return draft({ ledger, rules, place, time, asked, ...(change && { change }) })
  }

  /** Brings a step into force with everybody who is real; played signers make up the quorum. */
  async certify(place: Place, drafted: Drafted): Promise<Certificate> {
    const { step } = drafted
    const votes = await this.votes(place, step)
    const seals = await this.seals(place, step, lockOf(some(votes)))
    const certificate = certificateOf(some(seals))
    for (const index of this.desks.keys()) await this.adopt(index, place, { certificate, step })
    this.ledger.add(place.stream, { step, certificate, writes: drafted.writes })
    return certificate
  }

  async adopt(
    index: number,
    place: Place,
    { certificate, step }: { readonly certificate: Certificate; readonly step: OpaqueStep },
  ): Promise<Answer> {
    return this.answer(index, place, { kind: 'certificate', certificate, step })
  }

  /** One item in force, in the stream where it belongs. */
  async put(kind: ItemKind, evidence: Evidence, stream?: StreamId, bid?: number): Promise<Drafted> {
    const place = stream === undefined ? this.root : { ...this.root, stream }
    const drafted = this.draft(place, [{ kind, evidence, bid }])
    await this.certify(place, drafted)
    return drafted
  }

  async found(): Promise<Person> {
    const { evidence, administrator } = genesisRequest(this.cluster.manifest.hash, this.now)
    this.administrator_ = administrator
    this.know(evidence, 'organization', 'user')
    this.know(evidence, 'permission')
    await this.put('genesis', evidence)
    return administrator
  }

  request(ask: Omit<Ask, 'now' | 'ids'>, person: Person = this.administrator): WholeEvidence {
    return signedRequest(person, { ...ask, now: this.now, ids: this.ids })
  }

  keyPlace(key: Uint8Array): Place {
    return { organization: this.organization, stream: keyStream(key) }
  }

  /** Remembers what this request makes, by its names. */
  know({ preimage }: Evidence, ...kinds: readonly IdKind[]): readonly string[] {
    const hash = requestHash(preimage)
    return kinds.map((kind) => {
      const name = createdName(hash, kind)
      this.ids.set(name, idOf(hash, kind))
      return name
    })
  }

  id(name: string): Uint8Array {
    const id = this.ids.get(name)
    if (id === undefined) throw new Error(`the test world knows no ${name}`)
    return id
  }

  close(): void {
    this.worker.close()
    for (const { signer, store } of this.members.values()) {
      signer.close()
      store.close()
    }
    rmSync(this.dir, { recursive: true, force: true })
  }

  private async votes(place: Place, step: OpaqueStep): Promise<Signed<Vote>[]> {
    const votes: Signed<Vote>[] = []
    for (const index of this.indexes) {
      if (!this.desks.has(index)) {
        votes.push(this.vote(index, place, step))
        continue
      }
      const answer = await this.answer(index, place, this.propose(place, step))
      if (answer.kind !== 'vote' || answer.statement.kind !== 'vote')
        throw new Error(`signer ${index} does not vote: ${toldAnswer(answer)}`)
      votes.push({ statement: answer.statement, signature: answer.signature })
    }
    return votes
  }

  private async seals(place: Place, step: OpaqueStep, lock: Lock): Promise<Signed<Seal>[]> {
    const seals: Signed<Seal>[] = []
    for (const index of this.indexes) {
      if (!this.desks.has(index)) {
        seals.push(this.seal(index, place, step))
        continue
      }
      const answer = await this.answer(index, place, { kind: 'lock', lock, step })
      if (answer.kind !== 'seal' || answer.statement.kind !== 'seal')
        throw new Error(`signer ${index} does not seal: ${toldAnswer(answer)}`)
      seals.push({ statement: answer.statement, signature: answer.signature })
    }
    return seals
  }

  private said(signer: number, { organization, stream }: Place, step: OpaqueStep, ballot: number) {
    const manifestHash = this.cluster.manifest.hash
    const origin = { signer, bootId: new Uint8Array(16), storeSequence: 0 }
    const { seq, hash: stepHash } = step
    return { manifestHash, organization, stream, seq, ballot, stepHash, ...origin }
  }
}

type Opened = { readonly kek?: Uint8Array; readonly file?: string }

function random(size: number): Uint8Array {
  return new Uint8Array(randomBytes(size))
}

export function some<T>(list: readonly T[]): readonly [T, ...T[]] {
  return [entry(list, 0), ...list.slice(1)]
}

export function toldAnswer(answer: Answer): string {
  return 'detail' in answer ? `${answer.kind}: ${answer.detail}` : answer.kind
}
