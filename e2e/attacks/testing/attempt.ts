import {
  certificateOf,
  lockOf,
  type Certificate,
  type Lock,
  type Seal,
  type Signed,
  type Statement,
  type Vote,
} from '@quorate/authority/agreement/messages'
import type { Answer, Request } from '@quorate/authority/agreement/exchange'
import { carry, everybody, type Key } from '@quorate/signer/testing/keys'
import type { Drafted, Place } from '@quorate/signer/testing/ledger'
import { combine, roundsOf, signCall } from '@quorate/signer/testing/signing'
import { some, toldAnswer, type World } from '@quorate/signer/testing/world'
import { packetFor, type Packet } from '@quorate/wire/packet'
import type { SessionCall, SessionReply } from '@quorate/wire/link'
import { corrupt, honest } from './coalition.ts'

/** What a server gets out of the signers for one step, whatever it had to send to get it. */
export type Outcome = {
  readonly votes: number
  readonly seals: number
  readonly certificate: Certificate | undefined
  /** How many honest signers gave their last round: one of them and the corrupt one are a key. */
  readonly lastRounds: number
  /** Verified. */
  readonly signature: Uint8Array | undefined
  /** What was said instead of votes, seals and rounds. */
  readonly refusals: readonly string[]
}

export type Attempt = {
  readonly place: Place
  readonly drafted: Drafted
  readonly key: Key
  /** The honest signers that the server talks to; the others hear nothing. */
  readonly shown?: readonly number[]
  readonly quorum?: readonly [number, number]
}

/**
 * A server that wants one signature: it proposes, brings the corrupt signer's yes to everything,
 * hands around whatever locks and certificates it can make of what it got, even where they are too
 * few, lets the rounds ride along, and at last asks for them once more by themselves.
 */
export async function attempt(world: World, attempted: Attempt): Promise<Outcome> {
  const run = new Run(world, attempted)
  await run.propose()
  await run.lock()
  await run.certify()
  await run.askAgain()
  return run.outcome()
}

class Run {
  private readonly votes: Signed<Vote>[] = []
  private readonly seals: Signed<Seal>[] = []
  private readonly refusals: string[] = []
  /** Of each signer, in the order of rounds: those that rode along, and those asked for again. */
  private readonly riding = new Map<number, Packet[]>()
  private again = new Map<number, Packet[]>()
  private ceremony: Uint8Array | undefined
  private readonly world: World
  private readonly attempted: Attempt
  private readonly shown: readonly number[]
  private readonly quorum: readonly number[]

  constructor(world: World, attempted: Attempt) {
    this.world = world
    this.attempted = attempted
    this.shown = attempted.shown ?? honest
    this.quorum = attempted.quorum ?? [1, 2]
  }

  async propose(): Promise<void> {
    const { place, drafted } = this.attempted
    const call = signCall(place, drafted, { quorum: this.quorum })
    for (const index of [...this.shown, corrupt]) {
      const riding = this.quorum.includes(index) ? call : undefined
      const { step } = drafted
      const answer = await this.say(index, this.world.propose(place, step), riding)
      const vote = statedBy(answer, 'vote')
      if (vote !== undefined && index !== corrupt) this.votes.push(vote)
    }
    this.votes.push(this.world.vote(corrupt, place, drafted.step))
  }

  async lock(): Promise<void> {
    const { place, drafted, key } = this.attempted
    const lock = lockOf(some(this.votes))
    const rides = roundsOf(key) === 3 ? this.advances() : new Map<number, SessionCall>()
    for (const index of [...this.shown, corrupt]) {
      const request = { kind: 'lock', lock, step: drafted.step } as const
      const seal = statedBy(await this.say(index, request, rides.get(index)), 'seal')
      if (seal !== undefined && index !== corrupt) this.seals.push(seal)
    }
    this.seals.push(this.world.seal(corrupt, place, drafted.step))
  }

  async certify(): Promise<void> {
    const certificate = certificateOf(some(this.seals))
    const rides = this.advances()
    for (const index of [...this.shown, corrupt])
      await this.say(
        index,
        { kind: 'certificate', certificate, step: this.attempted.drafted.step },
        rides.get(index),
      )
  }

  /** The rounds alone, under whatever each signer holds of the step by now. */
  async askAgain(): Promise<void> {
    if (this.lastRounds() > 0) return
    const { place, drafted, key } = this.attempted
    const call = signCall(place, drafted, { quorum: this.quorum })
    const onPacket = (from: number, packet: Packet): void => {
      this.again.set(from, [...(this.again.get(from) ?? []), packet])
    }
    const first = await everybody(
      this.world,
      (index) => this.world.session(index, call),
      this.quorum,
    )
    const endings = await carry(this.world, first, { roundsMax: roundsOf(key), onPacket })
    for (const reply of endings.values()) this.hear(reply)
  }

  outcome(): Outcome {
    const { cluster } = this.world
    const { place, drafted } = this.attempted
    const isCertified = this.seals.length >= cluster.manifest.quorum
    const certificate = isCertified ? certificateOf(some(this.seals)) : undefined
    const { step, writes } = drafted
    if (certificate !== undefined)
      this.world.ledger.add(place.stream, { step, certificate, writes })
    return {
      votes: this.votes.length,
      seals: this.seals.length,
      certificate,
      lastRounds: this.lastRounds(),
      signature: this.signature(),
      refusals: this.refusals,
    }
  }

  private signature(): Uint8Array | undefined {
    const operation = this.attempted.drafted.body.items[0]?.operation
    const message = operation && 'digests' in operation ? operation.digests[0] : undefined
    if (message === undefined) return undefined
    for (const packets of [this.riding, this.again]) {
      if (!this.quorum.every((index) => this.isLast(packets.get(index)))) continue
      const made = combine(this.attempted.key, this.quorum, { message, packets })
      if (made !== undefined) return made
    }
    return undefined
  }

  private lastRounds(): number {
    const gave = (index: number) =>
      this.isLast(this.riding.get(index)) || this.isLast(this.again.get(index))
    return this.quorum.filter((index) => index !== corrupt && gave(index)).length
  }

  private isLast(packets: readonly Packet[] | undefined): boolean {
    return packets?.length === roundsOf(this.attempted.key)
  }

  private async say(index: number, request: Request, ride?: SessionCall): Promise<Answer> {
    const { answer, session } = await this.world.agree(index, this.attempted.place, request, ride)
    if ('detail' in answer) this.refusals.push(toldAnswer(answer))
    if (session === undefined) return answer
    this.hear(session)
    if (session.kind === 'packet') {
      this.ceremony = session.ceremony
      this.riding.set(index, [...(this.riding.get(index) ?? []), session.packet])
    }
    return answer
  }

  private hear(reply: SessionReply): void {
    if ('reason' in reply) this.refusals.push(`${reply.kind}: ${reply.reason}`)
  }

  /** What each of the quorum needs for its next round: nothing unless all gave the one before. */
  private advances(): Map<number, SessionCall> {
    const { ceremony } = this
    const lengths = new Set(this.quorum.map((index) => this.riding.get(index)?.length ?? 0))
    if (ceremony === undefined || lengths.size !== 1) return new Map()
    return new Map(
      this.quorum.map((index) => [
        index,
        { kind: 'advance', ceremony, packets: this.packetsTo(index) },
      ]),
    )
  }

  private packetsTo(receiver: number): Packet[] {
    return this.quorum
      .filter((index) => index !== receiver)
      .flatMap((index) => this.riding.get(index)?.slice(-1) ?? [])
      .map((packet) => packetFor(receiver, packet))
  }
}

/** The votes that these signers give when they are asked. */
export async function votesOf(
  world: World,
  { place, drafted, indexes }: Asking,
): Promise<Signed<Vote>[]> {
  const votes: Signed<Vote>[] = []
  for (const index of indexes) {
    const answer = await world.answer(index, place, world.propose(place, drafted.step))
    const vote = statedBy(answer, 'vote')
    if (vote !== undefined) votes.push(vote)
  }
  return votes
}

/** The seals that these signers give when they are shown this lock. */
export async function sealsOf(
  world: World,
  { place, drafted, indexes, lock }: Asking & { readonly lock: Lock },
): Promise<Signed<Seal>[]> {
  const seals: Signed<Seal>[] = []
  for (const index of indexes) {
    const request = { kind: 'lock', lock, step: drafted.step } as const
    const seal = statedBy(await world.answer(index, place, request), 'seal')
    if (seal !== undefined) seals.push(seal)
  }
  return seals
}

type Asking = {
  readonly place: Place
  readonly drafted: Drafted
  readonly indexes: readonly number[]
}

type Spoken<K extends 'vote' | 'seal'> = Signed<Extract<Statement, { readonly kind: K }>>

function statedBy<K extends 'vote' | 'seal'>(answer: Answer, kind: K): Spoken<K> | undefined {
  if (answer.kind !== kind || answer.statement.kind !== kind) return undefined
  return { statement: answer.statement, signature: answer.signature } as Spoken<K>
}
