import type { Party } from '../session.ts'

/** Every choice of `size` parties out of 1..n, each in index order. */
export function quorumsOf(n: number, size: number, from: Party = 1): readonly (readonly Party[])[] {
  if (size === 0) return [[]]
  const all: (readonly Party[])[] = []
  for (let first = from; first <= n; first++)
    for (const rest of quorumsOf(n, size - 1, first + 1)) all.push([first, ...rest])
  return all
}

/** The first, one in the middle and the last of them. */
export function fewQuorumsOf(n: number, size: number): readonly (readonly Party[])[] {
  const all = quorumsOf(n, size)
  const chosen = [0, Math.floor(all.length / 2), all.length - 1]
  return all.filter((_, i) => chosen.includes(i))
}

/** Every 2 ≤ t ≤ n ≤ nMax. */
export function clustersUpTo(nMax: number): readonly { readonly n: number; readonly t: number }[] {
  const all: { n: number; t: number }[] = []
  for (let n = 2; n <= nMax; n++) for (let t = 2; t <= n; t++) all.push({ n, t })
  return all
}
