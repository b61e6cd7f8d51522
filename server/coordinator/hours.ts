import { skewMsMax } from '@quorate/authority/step'
import { Failure } from '@quorate/core/failure'
import type { Links } from '../link/links.ts'
import type { DriveLog } from './drive.ts'

/** Of this server's clock, held against those of signers. `unsure`: too few of them have said. */
export type ClockState = 'right' | 'ahead' | 'behind' | 'unsure'
type Off = 'ahead' | 'behind'

/** What a signer said to a question, and when that was here, by a clock that nobody sets. */
type Said = { readonly time: number; readonly from: number; readonly to: number }

/** Quartz is off by a second in some hours: what was said longer ago may be of another connection. */
const goodForMs = 60_000
/** While the clock seems to be off somebody waits for it to be right. */
const doubtedAfterMs = 1_000
const answerMsMax = 1_000
/** Whoever looks after the server hears of it soon, and not at each request. */
const toldEveryMs = 60_000

export type HoursParts = {
  readonly links: Pick<Links, 'connected' | 'call'>
  /** So many signers cannot all be corrupt. */
  readonly threshold: number
  readonly log: DriveLog
  /** Milliseconds since 1970, as this machine believes. */
  readonly clock: () => number
  readonly steady?: () => number
}

/**
 * Whether this server's clock can be relied on. It decides nothing that signers would not: a clock is
 * wrong by the word of more signers than can be corrupt, of which one honest one would refuse every
 * step as well; and right by the word of as many. A server whose clock is wrong asks for patience
 * and ends nothing, since what has expired here has not expired anywhere else.
 */
export class Hours {
  private readonly parts: HoursParts
  private readonly steady: () => number
  private readonly said = new Map<number, Said>()
  private readonly askedAt = new Map<number, number>()
  private asking: Promise<void> | undefined
  private toldAt: number | undefined
  private isOff = false

  constructor(parts: HoursParts) {
    this.parts = parts
    this.steady = parts.steady ?? (() => performance.now())
  }

  /** By what signers have said so far; a leap of this machine's clock shows at once. */
  get state(): ClockState {
    const { links, threshold, clock } = this.parts
    const [now, at] = [clock(), this.steady()]
    const counts = { right: 0, ahead: 0, behind: 0 }
    for (const signer of links.connected()) {
      const said = this.said.get(signer)
      if (said !== undefined && at - said.to <= goodForMs) counts[sideOf(said, { now, at })] += 1
    }
    const states = ['ahead', 'behind', 'right'] as const
    return states.find((state) => counts[state] >= threshold) ?? 'unsure'
  }

  /** The same; whoever has not been asked for a while is asked where that makes a difference. */
  async ask(): Promise<ClockState> {
    if (this.state !== 'right') {
      this.asking ??= this.askAll().finally(() => {
        this.asking = undefined
      })
      await this.asking
    }
    const { state } = this
    if (state !== 'unsure') this.tell(state)
    return state
  }

  /**
   * Before what would be final.
   * @throws Failure `clock.wrong`, `signing.failed`
   */
  async check(): Promise<void> {
    const state = await this.ask()
    if (state === 'unsure')
      throw new Failure('signing.failed', { reason: 'too few signers are there to tell the time' })
    if (state !== 'right') throw new Failure('clock.wrong', { clock: state })
  }

  /**
   * Asks nobody unless what is known speaks against it.
   * @throws Failure `clock.wrong`
   */
  async checkKnown(): Promise<void> {
    const { state } = this
    if (state === 'ahead' || state === 'behind') await this.check()
  }

  /** That signers have refused a step for it: `toldEveryMs` apart, and when it is over. */
  tell(state: Off | 'right'): void {
    const { log } = this.parts
    const at = this.steady()
    if (state === 'right') {
      if (this.isOff) log.warn({}, 'the clock of this server is right again')
      this.isOff = false
      this.toldAt = undefined
      return
    }
    this.isOff = true
    if (this.toldAt !== undefined && at - this.toldAt < toldEveryMs) return
    this.toldAt = at
    log.error({ clock: state }, 'the clock of this server is wrong: nothing can be agreed on')
  }

  /** Until enough of them have said something for a verdict, or nobody is left to say anything. */
  private askAll(): Promise<void> {
    const { links } = this.parts
    const at = this.steady()
    const asked = links
      .connected()
      .filter((signer) => at - (this.askedAt.get(signer) ?? -Infinity) > doubtedAfterMs)
    return new Promise((resolve, reject) => {
      let open = asked.length
      if (open === 0) resolve()
      for (const signer of asked)
        this.hear(signer).then(() => {
          open -= 1
          if (open === 0 || this.state === 'right') resolve()
        }, reject)
    })
  }

  private async hear(signer: number): Promise<void> {
    const from = this.steady()
    this.askedAt.set(signer, from)
    const reply = await this.parts.links.call(signer, { kind: 'ping' }, answerMsMax)
    if (typeof reply === 'string' || reply.kind !== 'pong') return
    if (reply.time === undefined) this.said.delete(signer)
    else this.said.set(signer, { time: reply.time, from, to: this.steady() })
  }
}

/** When it was said is between the question and the answer: a slow answer proves nothing. */
function sideOf(
  { time, from, to }: Said,
  { now, at }: { readonly now: number; readonly at: number },
): Off | 'right' {
  const [earliest, latest] = [time + (at - to), time + (at - from)]
  if (now - latest > skewMsMax) return 'ahead'
  return earliest - now > skewMsMax ? 'behind' : 'right'
}
