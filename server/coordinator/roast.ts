import type { Attendance, Pair } from './attendance.ts'

/** What the end of a session without a signature says of those who were in it. */
export type Verdict =
  /** Seen by the server itself: nobody's word is needed. */
  | { readonly kind: 'faulty'; readonly signers: readonly number[] }
  /** It has not answered in time; once that may be chance. */
  | { readonly kind: 'missed'; readonly signer: number }
  /** One's word against the other's, so that these two do not meet again. */
  | { readonly kind: 'parted'; readonly signer: number; readonly peers: readonly number[] }
  /** All have spoken, it comes to nothing, and nobody can be named. */
  | { readonly kind: 'spoilt' }
  | { readonly kind: 'busy'; readonly signer: number }
  /** It may be mended: meanwhile this signer, or its pairs with these, are not chosen. */
  | { readonly kind: 'mending'; readonly signer: number; readonly peers: readonly number[] }

/** A signer that has no room is asked again after the first of these, and each time later. */
const busyMs = { first: 50, last: 1_000 }

/**
 * Which signers are to try next, as in ROAST (Ruffing et al., CCS 2022): a session that waits for
 * somebody stops nobody else, and whoever owes an answer in one session is called into no other.
 * What it guarantees, and why, is in docs/protocols/aborts.md.
 */
export class Roast {
  /** Begun so far, but for those that a busy signer has turned away. */
  begun = 0
  private readonly size: number
  private readonly attendance: Attendance
  private readonly open = new Map<number, readonly number[]>()
  /** Not chosen again. */
  private readonly aside = new Set<number>()
  /** Owed an answer when others went on without it: chosen again where there are no others. */
  private readonly late = new Set<number>()
  /** Called into question by somebody's word alone: chosen last. */
  private readonly doubtful = new Set<number>()
  private readonly missed = new Set<number>()
  private readonly mending = new Set<number>()
  private readonly busy = new Map<number, { readonly until: number; readonly waitMs: number }>()
  private parted: Pair[] = []
  private repairing: Pair[] = []
  private readonly spoilt: (readonly number[])[] = []

  constructor(size: number, attendance: Attendance) {
    this.size = size
    this.attendance = attendance
  }

  /**
   * A quorum for one more session, if there is one of signers that owe nothing.
   * @param apart pairs that must not meet, whatever this signature has seen
   */
  next(ask: {
    readonly connected: readonly number[]
    readonly owing: ReadonlySet<number>
    readonly apart: readonly Pair[]
    readonly now: number
  }): readonly number[] | undefined {
    const { owing, now } = ask
    const free = ask.connected.filter(
      (one) =>
        !this.aside.has(one) &&
        !this.mending.has(one) &&
        !owing.has(one) &&
        (this.busy.get(one)?.until ?? 0) <= now,
    )
    const timely = free.filter((one) => !this.late.has(one))
    const trusted = timely.filter((one) => !this.doubtful.has(one))
    const apart = [...ask.apart, ...this.parted, ...this.repairing]
    for (const connected of [trusted, timely, free]) {
      const { size, spoilt: except } = this
      const quorum = this.attendance.choose({ connected, size, apart, except })
      if (quorum !== undefined) return quorum
    }
    return undefined
  }

  /** @param owing who owes an answer in a session that is under way */
  begin(session: number, quorum: readonly number[], owing: Iterable<number> = []): void {
    for (const one of owing) this.late.add(one)
    this.open.set(session, quorum)
    this.begun += 1
  }

  /** @param now of the same clock as in `next` */
  end(session: number, verdict: Verdict, now: number): void {
    const quorum = this.open.get(session) ?? []
    this.open.delete(session)
    switch (verdict.kind) {
      case 'faulty':
        for (const one of verdict.signers) this.aside.add(one)
        return
      case 'missed':
        return this.miss(verdict.signer)
      case 'parted':
        return this.part(verdict.signer, verdict.peers)
      case 'spoilt':
        this.spoilt.push(quorum)
        for (const one of quorum) this.doubtful.add(one)
        return
      case 'busy':
        this.begun -= 1
        return this.wait(verdict.signer, now)
      case 'mending':
        if (verdict.peers.length === 0) this.mending.add(verdict.signer)
        this.repairing.push(...verdict.peers.map((peer): Pair => [verdict.signer, peer]))
        return
    }
  }

  /** What `mending` has taken out: back, or for good. */
  mended(signer: number, peers: readonly number[], isWell: boolean): void {
    this.mending.delete(signer)
    this.repairing = this.repairing.filter(([one, peer]) => one !== signer || !peers.includes(peer))
    if (isWell) return
    // What it lacked may have been on its way to it: it is asked once more where there is no other.
    if (peers.length === 0) this.miss(signer)
    else this.part(signer, peers)
  }

  /** When the next busy signer is to be asked again. */
  busyUntil(now: number): number | undefined {
    const times = [...this.busy.values()].map(({ until }) => until).filter((time) => time > now)
    return times.length > 0 ? Math.min(...times) : undefined
  }

  private miss(signer: number): void {
    if (this.missed.has(signer)) this.aside.add(signer)
    this.missed.add(signer)
    this.late.add(signer)
  }

  /** Honest signers fall out with corrupt ones alone: whoever does with t others is none of them. */
  private part(signer: number, peers: readonly number[]): void {
    for (const peer of peers) if (peer !== signer) this.parted.push([signer, peer])
    for (const one of [signer, ...peers]) {
      this.doubtful.add(one)
      const others = this.parted.flatMap(([a, b]) => (a === one ? [b] : b === one ? [a] : []))
      if (new Set(others).size >= this.size) this.aside.add(one)
    }
  }

  private wait(signer: number, now: number): void {
    const waitMs = Math.min((this.busy.get(signer)?.waitMs ?? busyMs.first / 2) * 2, busyMs.last)
    this.busy.set(signer, { until: now + waitMs, waitMs })
  }
}
