/**
 * Time belongs to the network, which the adversary owns (threats A8). This clock never runs back,
 * not even over a restart, and takes no leap: a signer that cannot tell the time says so and keeps
 * silent, which costs one voice and no money.
 */
export type Clock = {
  read(): Reading
  /** Time has surely come so far: whatever is kept or forgotten for good goes by this. */
  surely(): number
  /** A quorum has agreed that it was this late. */
  learn(certified: number): void
}
export type Reading =
  | { readonly ok: true; readonly time: number }
  | { readonly ok: false; readonly reason: string }

export type ClockSource = {
  /** Milliseconds since 1970, as the machine believes. */
  readonly wall: () => number
  /** Milliseconds since some moment, which nobody sets. */
  readonly steady: () => number
}

/** As far as the clocks of honest voters may be apart: more is a leap. */
export const leapMsMax = 5_000
/**
 * The fastest at which a time service corrects a clock without setting it: RFC 5905, 500 ppm. What
 * is not used of it is lost, but for one leap: else a year would save up for one of four hours.
 */
const slewMax = 0.0005

/**
 * @param floor what `surely` has come to in earlier lives, from the store. How long the machine was
 *   off nobody can tell: a leap forward over a restart is taken for that. But such a leap is this
 *   machine's own word, so it is never written down: a signer started with a clock that is a century
 *   ahead is well again when the clock is.
 */
export function clockFrom({ wall, steady }: ClockSource, floor: number): Clock {
  let latest = floor
  let sure = { time: floor, steady: steady() }
  let expected = { ahead: wall() - steady(), steady: steady() }
  // The steady clock may run too fast, as far as a time service lets it.
  const surely = () => Math.floor(sure.time + (steady() - sure.steady) * (1 - slewMax))
  const isLeap = (now: number): boolean => {
    const at = steady()
    const drift = now - at - expected.ahead
    const leaps = Math.abs(drift) > leapMsMax
    const follow = leaps ? 0 : Math.min((at - expected.steady) * slewMax, leapMsMax)
    const ahead = expected.ahead + Math.max(-follow, Math.min(follow, drift))
    expected = { ahead, steady: at }
    return leaps
  }
  return {
    surely,
    learn(certified) {
      // The clocks of those who voted in time may have been that far ahead.
      const time = certified - leapMsMax
      if (time > surely()) sure = { time, steady: steady() }
    },
    read() {
      const now = Math.floor(wall())
      if (isLeap(now))
        return {
          ok: false,
          reason: 'the clock of this machine has leapt: restart after a look at it',
        }
      if (now < latest - leapMsMax)
        return { ok: false, reason: 'the clock of this machine is behind what it has shown before' }
      latest = Math.max(latest, now)
      return { ok: true, time: latest }
    },
  }
}
