/** Below this a slow disk or a busy moment would be taken for silence. */
export const patienceMsMin = 150
/** A signer that is alive answers sooner, whatever else there is to do. */
export const patienceMsMax = 1_000
/** Weight of the newest answer in the average, as TCP has it (RFC 6298, section 2). */
const weight = 1 / 8
/** So many times the usual is unusual. */
const factor = 4

/** How long answers take at the moment, and so how long one is waited for before others go on. */
export type Pace = {
  took(signer: number, ms: number): void
  patienceMs(): number
}

/**
 * Measured by the signer that is the t-th fastest: fewer than t can be corrupt, so it is no slower
 * than some honest one, whatever the others do to have their silence waited for.
 */
export function keepPace(threshold: number): Pace {
  const averages = new Map<number, number>()
  return {
    took(signer, ms) {
      const before = averages.get(signer) ?? ms
      averages.set(signer, before + weight * (ms - before))
    },
    patienceMs() {
      const [...sorted] = averages.values()
      const usual = sorted.sort((a, b) => a - b)[threshold - 1] ?? 0
      return Math.min(Math.max(usual * factor, patienceMsMin), patienceMsMax)
    },
  }
}
