import { Failure } from '@quorate/core/failure'
import type { Attendance, Pair } from './attendance.ts'
import type { Ceremony, CeremonyOutcome } from './ceremony.ts'
import { Roast, type Verdict } from './roast.ts'

export type Ended = Exclude<CeremonyOutcome, { kind: 'done' }>
export type Done = Extract<CeremonyOutcome, { kind: 'done' }>

/** What one signature needs of the world. */
export type SessionsWorld<T> = {
  readonly attendance: Attendance
  readonly size: number
  readonly connected: () => readonly number[]
  /** Ids of the signers that are not. */
  readonly missing: () => readonly string[]
  /** Pairs that no session of this organization is to have. */
  readonly apart: () => readonly Pair[]
  readonly patienceMs: () => number
  readonly begin: (quorum: readonly number[]) => Ceremony
  /** What came of a session in which all have spoken; or whose fault it is that nothing did. */
  readonly combine: (outcome: Done, quorum: readonly number[]) => Made<T> | Verdict
  /** @throws Failure when this ends the signature for good */
  readonly judge: (outcome: Ended, quorum: readonly number[]) => Verdict
  readonly mend: (outcome: Ended, since: number) => Promise<boolean>
  /** These have kept a session waiting that others have overtaken. */
  readonly overtaken: (signers: readonly number[]) => void
}
export type Made<T> = { readonly kind: 'made'; readonly made: T }

export type FirstSession = {
  readonly ceremony: Ceremony
  readonly quorum: readonly number[]
  readonly since: number
}

type Session = FirstSession & { readonly number: number }
type News = () => void

/** Far above what honest signers can cause: docs/protocols/aborts.md has the bound. */
const sessionsMax = 64

/**
 * The sessions of one signature. Another one begins as soon as all that are under way wait for
 * somebody, and enough signers owe nothing; the first that comes to its end is the one.
 */
export class Sessions<T> {
  private readonly world: SessionsWorld<T>
  private readonly roast: Roast
  private readonly open = new Map<number, Session>()
  private news: News[] = []
  private wake: () => void = () => undefined
  private mendings = 0
  private count = 0

  constructor(world: SessionsWorld<T>) {
    this.world = world
    this.roast = new Roast(world.size, world.attendance)
  }

  /**
   * @param until by `Date.now`: the moment from which no signer gives its last round any more
   * @returns nothing when that moment has come
   * @throws Failure `signers.unavailable`, `request.refused`, `signing.failed`
   */
  async run(first: FirstSession | undefined, until: number): Promise<T | undefined> {
    if (first !== undefined) this.start(first)
    try {
      while (Date.now() <= until) {
        const made = this.hear()
        if (made !== undefined) {
          this.world.overtaken(this.laggards())
          return made
        }
        // One moment for both: whatever comes free between them would else be waited for by nobody.
        const now = performance.now()
        this.goOn(now)
        await this.rest(until, now)
      }
      return undefined
    } finally {
      for (const { ceremony } of this.open.values()) ceremony.close()
    }
  }

  /** Takes in what has happened, in its order. */
  private hear(): T | undefined {
    for (let next = this.news.shift(); next !== undefined; next = this.news.shift()) next()
    return this.made
  }
  private made: T | undefined

  /** Begins sessions for as long as none that is under way has any headway to hope for. */
  private goOn(now: number): void {
    const { world, roast } = this
    while ([...this.open.values()].every((session) => this.isStalled(session))) {
      const owing = this.owing()
      const [connected, apart] = [world.connected(), world.apart()]
      const quorum = roast.next({ connected, owing, apart, now })
      if (quorum === undefined) return this.fail(now)
      if (this.count >= sessionsMax) throw failed('no quorum of signers came to its end')
      const session = { ceremony: world.begin(quorum), quorum, since: now }
      this.start(session, owing)
    }
  }

  /** Only when there is nothing to wait for either. */
  private fail(now: number): void {
    const { roast, world } = this
    if (this.open.size > 0 || this.mendings > 0) return
    if (roast.busyUntil(now) !== undefined) return
    const missing = world.missing()
    if (missing.length > 0) throw new Failure('signers.unavailable', { missing: [...missing] })
    throw failed(
      this.count === 0 ? 'no quorum has all its pairs' : 'no quorum of signers came to its end',
    )
  }

  private start(session: FirstSession, owing?: Iterable<number>): void {
    const number = this.count++
    this.roast.begin(number, session.quorum, owing)
    this.open.set(number, { ...session, number })
    session.ceremony
      .go()
      .then((outcome) => this.tell(() => this.end({ ...session, number }, outcome)))
  }

  private end(session: Session, outcome: CeremonyOutcome): void {
    const { number, quorum, ceremony, since } = session
    if (this.made !== undefined || !this.open.delete(number)) return
    const said =
      outcome.kind === 'done'
        ? this.world.combine(outcome, quorum)
        : this.world.judge(outcome, quorum)
    if (said.kind === 'made') {
      this.made = said.made
      return
    }
    ceremony.close()
    this.roast.end(number, said, performance.now())
    if (outcome.kind !== 'done' && said.kind === 'mending') this.repair(outcome, said, since)
  }

  private repair(outcome: Ended, { signer, peers }: Verdict & { kind: 'mending' }, since: number) {
    this.mendings += 1
    const over = (isWell: boolean) =>
      this.tell(() => {
        this.mendings -= 1
        this.roast.mended(signer, peers, isWell)
      })
    this.world.mend(outcome, since).then(over, () => over(false))
  }

  private tell(news: News): void {
    this.news.push(news)
    this.wake()
  }

  private owing(): ReadonlySet<number> {
    return new Set([...this.open.values()].flatMap(({ ceremony }) => [...ceremony.owing().keys()]))
  }

  private laggards(): readonly number[] {
    const before = performance.now() - this.world.patienceMs()
    return [...this.open.values()].flatMap(({ ceremony }) =>
      [...ceremony.owing()].flatMap(([signer, since]) => (since <= before ? [signer] : [])),
    )
  }

  private isStalled(session: Session): boolean {
    return this.stallsAt(session) <= performance.now()
  }

  private stallsAt({ ceremony }: Session): number {
    return Math.min(...ceremony.owing().values()) + this.world.patienceMs()
  }

  /** Until something happens, or its time comes. */
  private async rest(until: number, now: number): Promise<void> {
    if (this.news.length > 0) return
    const busy = this.roast.busyUntil(now)
    const stalls = [...this.open.values()].map((session) => this.stallsAt(session))
    const times = [...stalls.filter((time) => time > now), ...(busy === undefined ? [] : [busy])]
    const ms = Math.min(
      until - Date.now() + 1,
      ...times.map((time) => time - performance.now() + 1),
    )
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, Math.max(ms, 0))
    this.wake = resolve
    await promise
    clearTimeout(timer)
  }
}

function failed(reason: string): Failure {
  return new Failure('signing.failed', { reason })
}
