/**
 * Time belongs to the network, which the adversary owns (threats A8). This clock never runs back,
 * not even over a restart, and takes no leap: a signer that cannot tell the time says so and keeps
 * silent, which costs one voice and no money.
 */
export type Clock = { read(): Reading }
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
/** The fastest at which a time service corrects a clock without setting it: RFC 5905, 500 ppm. */
const slewMax = 0.0005

/**
 * @param floor the latest time that this signer has ever acted on, from its store. How long the
 *   machine was off nobody can tell: a leap forward over a restart is taken for that.
 */
export function clockFrom({ wall, steady }: ClockSource, floor: number): Clock {
  const start = { wall: wall(), steady: steady() }
  let latest = floor
  return {
    read() {
      const now = Math.floor(wall())
      const elapsed = steady() - start.steady
      const leap = Math.abs(now - (start.wall + elapsed))
      if (leap > leapMsMax + elapsed * slewMax)
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
