import { toHex } from '@quorate/core/bytes'
import type { OpaqueStep, Subject } from '@quorate/authority/agreement/messages'
import { rootOf, streamName } from '@quorate/authority/stream'
import type { Links } from '../link/links.ts'
import { type Certified, type Ledger, opaqueOf } from './ledger.ts'

/** Replaying a step costs a signer a few milliseconds; a full one of 64 items, a tenth of a second. */
const stepMsMax = 5_000
const stepsPerPage = 32
/** Streams that a signer which dials anew is taken through at once; others wait for their next step. */
const streamsWatched = 1_000
/** Streams of which is remembered how far each signer has come. Forgotten ones are asked again. */
const streamsRemembered = 10_000

const nameOf = (signer: number, { organization, stream }: Subject) =>
  `${signer}/${toHex(organization)}/${streamName(stream)}`

/** How far signers have come, and the certificates that take them further. */
export class CatchUp {
  private readonly links: Links
  private readonly ledger: Ledger
  private readonly running = new Map<string, Promise<boolean>>()
  private readonly reached = new Map<string, number>()
  private readonly watched = new Map<string, Subject>()

  constructor({ links, ledger }: { readonly links: Links; readonly ledger: Ledger }) {
    this.links = links
    this.ledger = ledger
  }

  /** `seq` is the first that the signer lacks, as it said itself. */
  note(signer: number, place: Subject, seq: number): void {
    const name = nameOf(signer, place)
    this.reached.delete(name)
    this.reached.set(name, seq - 1)
    const [oldest] = this.reached.keys()
    if (this.reached.size > streamsRemembered && oldest !== undefined) this.reached.delete(oldest)
  }

  private hasReached(signer: number, place: Subject, seq: number): boolean {
    return (this.reached.get(nameOf(signer, place)) ?? -1) >= seq
  }

  /** One at a time for a signer and a stream; answers whether it has come to the newest head. */
  run(signer: number, place: Subject): Promise<boolean> {
    const name = nameOf(signer, place)
    const present = this.running.get(name)
    if (present !== undefined) return present
    const started = this.replay(signer, place).finally(() => this.running.delete(name))
    this.running.set(name, started)
    return started
  }

  private async replay(signer: number, place: Subject): Promise<boolean> {
    const { ledger } = this
    const head = await ledger.head(place)
    if (head === undefined) return true
    let lacks = await this.send(signer, place, head)
    while (lacks !== undefined && lacks <= head.seq) {
      const page = await ledger.steps(place, lacks, stepsPerPage)
      const before: number = lacks
      for (const step of page) {
        lacks = await this.send(signer, place, step)
        if (lacks !== step.seq + 1) break
      }
      // Whoever makes no headway would be sent the same for ever.
      if (lacks !== undefined && lacks <= before) return false
    }
    return lacks !== undefined
  }

  /** @returns the first step that the signer lacks now, or nothing when it did not say */
  private async send(
    signer: number,
    place: Subject,
    certified: Certified,
    isFirst = true,
  ): Promise<number | undefined> {
    const { links } = this
    const { certificate, body } = certified
    const step: OpaqueStep = opaqueOf(body)
    const request = { kind: 'certificate', certificate, step } as const
    const { organization, stream } = place
    const call = { kind: 'agree', organization, stream, request, session: undefined } as const
    const reply = await links.call(signer, call, stepMsMax)
    if (typeof reply === 'string' || reply.kind !== 'agree') return undefined
    const { answer } = reply
    if (!('statement' in answer) || answer.statement.kind !== 'head') return undefined
    const { statement } = answer
    if (streamName(statement.stream) === streamName(stream)) {
      this.note(signer, place, statement.seq)
      return statement.seq
    }
    // What this step rests on is unknown there: first things first, then the same again.
    const isRoot = streamName(statement.stream) === streamName(rootOf(organization))
    const other = { organization, stream: statement.stream }
    return isFirst && isRoot && (await this.run(signer, other))
      ? this.send(signer, place, certified, false)
      : undefined
  }

  /** This stream is in use. */
  watch(place: Subject): void {
    const name = nameOf(0, place)
    this.watched.delete(name)
    this.watched.set(name, place)
    const [oldest] = this.watched.keys()
    if (this.watched.size > streamsWatched && oldest !== undefined) this.watched.delete(oldest)
  }

  /** A signer that was away is taken to the heads of what is in use, one stream after the other. */
  async welcome(signer: number): Promise<void> {
    for (const place of [...this.watched.values()].reverse())
      if (!(await this.run(signer, place))) return
  }

  /** Waits until `enough` signers know the head `seq` of a stream; goes on with the others. */
  async reach(
    place: Subject,
    { seq, signers, enough }: { seq: number; signers: readonly number[]; enough: number },
    onLate: (signer: number) => void,
  ): Promise<void> {
    const late = signers.filter((signer) => !this.hasReached(signer, place, seq))
    let [missing, open] = [enough - (signers.length - late.length), late.length]
    await new Promise<void>((resolve, reject) => {
      const count = (): void => {
        if (missing <= 0 || open <= 0) resolve()
      }
      count()
      for (const signer of late)
        this.run(signer, place).then((came) => {
          open -= 1
          if (came) missing -= 1
          if (came) onLate(signer)
          count()
        }, reject)
    })
  }
}
