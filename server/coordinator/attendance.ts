/** A signer that missed a deadline is asked again for last rounds after this, and not before. */
export const leftOutMs = 30_000

/** Who may be chosen for a quorum now. */
export type Attendance = {
  /** This signer has kept a round waiting, or spoiled it. */
  miss(signer: number): void
  /** It says that it is not ready: once in that time that is no more than bad luck. */
  excuse(signer: number): void
  leftOutUntil(signer: number): number | undefined
  /**
   * A random quorum of `size` connected signers. Those left out are chosen only if it takes them, and
   * of them those that were missed longest ago; pairs in `apart` never together.
   * @returns nothing when there is no such quorum
   */
  choose(ask: {
    readonly connected: readonly number[]
    readonly size: number
    readonly apart?: readonly Pair[]
    readonly except?: readonly (readonly number[])[]
  }): readonly number[] | undefined
}
export type Pair = readonly [number, number]

export function keepAttendance(
  clock: () => number = Date.now,
  random: () => number = Math.random,
  isProposed: (signer: number) => boolean = () => false,
): Attendance {
  const leftOut = new Map<number, number>()
  const leftOutUntil = (signer: number): number | undefined => {
    if (isProposed(signer)) return Infinity
    const until = leftOut.get(signer)
    return until !== undefined && until > clock() ? until : undefined
  }
  const excused = new Map<number, number>()
  const miss = (signer: number): void => void leftOut.set(signer, clock() + leftOutMs)
  return {
    miss,
    excuse: (signer) => {
      if ((excused.get(signer) ?? 0) > clock()) miss(signer)
      excused.set(signer, clock() + leftOutMs)
    },
    leftOutUntil,
    choose: ({ connected, size, apart = [], except = [] }) => {
      const possible = subsets(connected, size).filter(
        (quorum) =>
          !apart.some(([a, b]) => quorum.includes(a) && quorum.includes(b)) &&
          !except.some((one) => String(one) === String(quorum)),
      )
      // Whoever was missed longest ago is the likeliest to be back.
      const burden = (quorum: readonly number[]) =>
        Math.max(0, ...quorum.map((signer) => leftOutUntil(signer) ?? 0))
      const least = Math.min(...possible.map(burden))
      const best = possible.filter((quorum) => burden(quorum) === least)
      return best[Math.floor(random() * best.length)]
    },
  }
}

/** Of at most seven signers there are at most 35. */
function subsets(of: readonly number[], size: number): readonly (readonly number[])[] {
  if (size === 0) return [[]]
  return of.flatMap((first, i) =>
    subsets(of.slice(i + 1), size - 1).map((others) => [first, ...others]),
  )
}
