/**
 * `n` signers, `t` shares make a signature, `q` voices make a fact. At most `t - 1` may be corrupt.
 * Two sets of `q` meet in `2q - n`, so one honest signer stands in both when that is at least `t`.
 */
export type Numbers = { readonly n: number; readonly t: number; readonly q: number }

/** The clusters that are tested and documented. The first one is the default. */
export const standardNumbers = [
  { n: 4, t: 2, q: 3 },
  { n: 5, t: 3, q: 4 },
  { n: 7, t: 3, q: 5 },
] as const satisfies readonly Numbers[]

/** Ten signers would already be an unusual cluster; evidence grows with every one of them. */
export const signersMax = 32

export function areSafe({ n, t, q }: Numbers): boolean {
  const whole = [n, t, q].every((number) => Number.isSafeInteger(number) && number > 0)
  return whole && n <= signersMax && t <= q && q <= n && 2 * q - n >= t
}
