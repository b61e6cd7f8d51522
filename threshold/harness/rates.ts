import { seeded } from '../ecdsa/testing/parties.ts'
import type { Script } from './scripts.ts'

export type Rate = {
  readonly script: Script
  readonly attempts: number
  readonly caught: number
  /** Fewest and most that are caught, but for one run in ten thousand, if theory is right. */
  readonly range: readonly [number, number]
  /** How it ended for those not caught. */
  readonly others: readonly string[]
}

/** @param everything as many attempts as there is time for, else a few */
export function rateOf(script: Script, { everything }: { readonly everything: boolean }): Rate {
  const attempts = script.attempts[everything ? 1 : 0]
  const random = seeded(`attempts at ${script.name}`)
  const others = new Set<string>()
  let caught = 0
  for (let i = 0; i < attempts; i++) {
    const ends = script.attempt(random)
    if (ends.some((end) => script.by.includes(end))) caught++
    else for (const end of ends) others.add(end)
  }
  return {
    script,
    attempts,
    caught,
    range: binomialRange(attempts, script.theory),
    others: [...others],
  }
}

export function isAsInTheory({ caught, range, others }: Rate): boolean {
  return caught >= range[0] && caught <= range[1] && !others.includes('bad')
}

const unlikely = 1e-4

/** The middle of Binomial(n, p), with at most half of one in ten thousand on either side of it. */
export function binomialRange(n: number, p: number): readonly [number, number] {
  if (p === 1) return [n, n]
  const [low, high] = [tailOf(n, p), tailOf(n, 1 - p)]
  return [low, n - high]
}

/**
 * The largest k so that fewer than k of n is unlikely. By logarithms: of thousands of attempts, the
 * first terms are too small for a number.
 */
function tailOf(n: number, p: number): number {
  let logOfTerm = n * Math.log1p(-p)
  let sum = Math.exp(logOfTerm)
  let k = 0
  while (sum < unlikely / 2 && k < n) {
    logOfTerm += Math.log((n - k) / (k + 1)) + Math.log(p) - Math.log1p(-p)
    sum += Math.exp(logOfTerm)
    k++
  }
  return k
}

export function rateLine({ script, attempts, caught, range }: Rate): string {
  const share = (count: number): string => (count / attempts).toFixed(3)
  const between = `${share(range[0])} to ${share(range[1])}`
  const measured = `${caught} of ${attempts} caught, ${share(caught)}`
  return `${script.name}: ${measured}; in theory ${script.theory}, so ${between}`
}
