import type { Party } from '../session.ts'

/** Every choice of `size` parties out of 1..n, each in index order. */
export function quorumsOf(n: number, size: number, from: Party = 1): readonly (readonly Party[])[] {
  if (size === 0) return [[]]
  const all: (readonly Party[])[] = []
  for (let first = from; first <= n; first++)
    for (const rest of quorumsOf(n, size - 1, first + 1)) all.push([first, ...rest])
  return all
}

/** Every 2 ≤ t ≤ n ≤ nMax. */
export function clustersUpTo(nMax: number): readonly { readonly n: number; readonly t: number }[] {
  const all: { n: number; t: number }[] = []
  for (let n = 2; n <= nMax; n++) for (let t = 2; t <= n; t++) all.push({ n, t })
  return all
}
