import { equalBytes } from '@quorate/core/bytes'
import { verifyEd25519 } from '@quorate/authority/ed25519'
import type { Manifest } from '@quorate/authority/manifest'
import type { SessionCall, SessionReply } from '@quorate/wire/link'
import { everybody, openPacket, type Packet, packetFor, type Protocol } from '@quorate/wire/packet'
import type { Links } from '../link/links.ts'

export type CeremonyReply = SessionReply | 'timeout' | 'gone' | undefined
type Kind<K extends SessionReply['kind']> = Extract<SessionReply, { readonly kind: K }>

export type CeremonyOutcome =
  | {
      readonly kind: 'done'
      /** Of each participant, its packets in the order of rounds. */
      readonly packets: ReadonlyMap<number, readonly Packet[]>
      readonly endings: ReadonlyMap<number, Kind<'certified'> | Kind<'finished'>>
    }
  /** Not heard in time. */
  | { readonly kind: 'missed'; readonly signer: number }
  /** It said nothing about this ceremony, as it is not ready for it. */
  | { readonly kind: 'unready'; readonly signer: number }
  /** Its operator does not let it sign with these. */
  | { readonly kind: 'banned'; readonly signer: number; readonly peers: readonly number[] }
  /** It has no room for this now. */
  | { readonly kind: 'busy'; readonly signer: number }
  | { readonly kind: 'refused'; readonly signer: number; readonly reason: string }
  /** `signer` says so of `culprits`, or itself sent what could not be passed on. */
  | {
      readonly kind: 'spoiled'
      readonly signer: number
      readonly reason: string
      readonly culprits: readonly number[]
      readonly burned: readonly number[]
    }
  | {
      readonly kind: 'unpaired'
      readonly signer: number
      readonly peers: readonly number[]
      readonly burned: readonly number[]
    }

export type CeremonyPlan = {
  readonly links: Links
  readonly participants: readonly number[]
  readonly opening: SessionCall
  readonly manifest: Manifest
  readonly protocol: Protocol
  readonly id: Uint8Array
  /** Packets that each sends, or nothing when signers say by themselves that they are at the end. */
  readonly rounds: number | undefined
  readonly deadlineMs: number
  /** Told how long each answer has taken. */
  readonly onAnswer?: (signer: number, ms: number) => void
}

export const unacceptable = 'a packet that nobody would accept'
/** Nobody waits for the answer: a signer that does not hear it forgets the session by itself. */
const closeMsMax = 1_000
/** No protocol here has more: key generation takes four when somebody complains. */
const roundsMax = 8

/**
 * Carries the packets of one ceremony. It knows nothing of what is in them: when all have spoken in
 * a round, each is handed what the others said to it. A packet that its receivers would not accept
 * is not passed on, so that nobody can make honest ones complain. What is passed on to nobody, as that of
 * the last round, is believed for whose link it has come by: what it says is checked by itself.
 */
export class Ceremony {
  readonly outcome: Promise<CeremonyOutcome>
  private readonly plan: CeremonyPlan
  private readonly asked = new Map<number, number>()
  /** Who owes an answer, and since when by `performance.now`. */
  private readonly owed = new Map<number, number>()
  private readonly packets = new Map<number, Packet[]>()
  private readonly endings = new Map<number, Kind<'certified'> | Kind<'finished'>>()
  private settle: (outcome: CeremonyOutcome) => void = () => undefined
  private isOver = false
  private isFree = false

  constructor(plan: CeremonyPlan) {
    this.plan = plan
    this.outcome = new Promise((resolve) => {
      this.settle = (outcome) => {
        this.isOver = true
        resolve(outcome)
      }
    })
    for (const signer of plan.participants) this.packets.set(signer, [])
  }

  /**
   * What this signer is to be asked now: the opening, or the others' packets of the round that has
   * ended. Nothing while its own answer or somebody else's packet is outstanding.
   * @param upTo the call of this number at most, the opening being 1
   */
  next(signer: number, upTo: number = roundsMax): SessionCall | undefined {
    const own = this.packets.get(signer)
    const asked = this.asked.get(signer) ?? 0
    const last = this.plan.rounds ?? roundsMax
    if (this.isOver || own === undefined || asked > own.length) return undefined
    if (asked >= Math.min(last, upTo)) return undefined
    const call = asked === 0 ? this.plan.opening : this.advanceFor(signer, asked)
    if (call === undefined) return undefined
    this.asked.set(signer, asked + 1)
    this.owed.set(signer, performance.now())
    return call
  }

  arrived(signer: number, reply: CeremonyReply): void {
    const since = this.owed.get(signer)
    this.owed.delete(signer)
    if (this.isOver) return
    if (typeof reply === 'object' && since !== undefined)
      this.plan.onAnswer?.(signer, performance.now() - since)
    if (reply === 'timeout' || reply === 'gone') return this.settle({ kind: 'missed', signer })
    if (reply === undefined) return this.settle({ kind: 'unready', signer })
    if (reply.kind === 'refused')
      return this.settle({ kind: 'refused', signer, reason: reply.reason })
    if (reply.kind === 'aborted') return this.settle({ ...reply, kind: 'spoiled', signer })
    if (reply.kind === 'unpaired' || reply.kind === 'banned')
      return this.settle({ ...reply, signer })
    if (reply.kind === 'busy') return this.settle({ kind: 'busy', signer })
    if (reply.kind === 'packet') this.take(signer, reply)
    else if (reply.kind === 'closed') return this.settle(unacceptableOf(signer))
    else this.endings.set(signer, reply)
    this.look()
  }

  /** Who keeps it waiting, and since when. */
  owing(): ReadonlyMap<number, number> {
    return this.owed
  }

  /** Nobody is asked anything more, and whoever has said a word in it may forget it. */
  close(): void {
    const { links, id: ceremony } = this.plan
    this.isOver = true
    const session = { kind: 'close', ceremony } as const
    for (const signer of this.asked.keys())
      void links.call(signer, { kind: 'session', session }, closeMsMax)
  }

  /** From now on everything that can be asked is, by itself. */
  go(): Promise<CeremonyOutcome> {
    this.isFree = true
    this.pump()
    return this.outcome
  }

  private take(signer: number, { ceremony, packet }: Kind<'packet'>): void {
    const own = this.packets.get(signer) ?? []
    if (this.isAcceptable(packet, { from: signer, round: own.length + 1, ceremony })) {
      own.push(packet)
      return
    }
    this.settle(unacceptableOf(signer))
  }

  private isAcceptable(
    packet: Packet,
    at: { readonly from: number; readonly round: number; readonly ceremony: Uint8Array },
  ): boolean {
    const { id, protocol, manifest, participants } = this.plan
    const identity = manifest.signers[at.from - 1]?.identity
    if (identity === undefined || !equalBytes(at.ceremony, id)) return false
    const isHandedOn = at.round !== this.plan.rounds
    const verify = (message: Uint8Array, signature: Uint8Array) =>
      !isHandedOn || verifyEd25519(identity, message, signature)
    return participants
      .filter((receiver) => receiver !== at.from)
      .every((self) => {
        const expected = { protocol, manifest: manifest.hash, ...at, self }
        return openPacket(packetFor(self, packet), expected, verify) !== undefined
      })
  }

  private look(): void {
    const { participants, rounds } = this.plan
    const isDone = participants.every((signer) =>
      rounds === undefined
        ? this.endings.has(signer)
        : (this.packets.get(signer)?.length ?? 0) >= rounds,
    )
    if (isDone) this.settle({ kind: 'done', packets: this.packets, endings: this.endings })
    else if (this.isFree) this.pump()
  }

  private pump(): void {
    for (const signer of this.plan.participants) {
      const session = this.next(signer)
      if (session === undefined) continue
      const { links, deadlineMs } = this.plan
      links.call(signer, { kind: 'session', session }, deadlineMs).then((reply) => {
        if (reply === 'timeout' || reply === 'gone') return this.arrived(signer, reply)
        if (reply.kind === 'busy') return this.arrived(signer, { kind: 'busy' })
        this.arrived(signer, reply.kind === 'session' ? reply.session : undefined)
      })
    }
  }

  private advanceFor(signer: number, round: number): SessionCall | undefined {
    const { participants, id: ceremony } = this.plan
    const others = participants
      .filter((other) => other !== signer)
      .map((other) => this.packets.get(other)?.[round - 1])
    const packets = others.flatMap((packet) => (packet ? [packetFor(signer, packet)] : []))
    if (packets.length < others.length) return undefined
    return { kind: 'advance', ceremony, packets }
  }
}

function unacceptableOf(signer: number): CeremonyOutcome {
  return { kind: 'spoiled', signer, reason: unacceptable, culprits: [], burned: [] }
}

/** What a packet says to everybody, if it says one thing. */
export function broadcastOf(packet: Packet | undefined): Uint8Array | undefined {
  const bodies = (packet?.parts ?? []).filter(({ to }) => to === everybody)
  return bodies.length === 1 ? bodies[0]?.body : undefined
}
