import { pointOf, type Target } from './faults.ts'
import type { Played } from './play.ts'

/** What is left of a world when it is over: little, since there are thousands. */
export type Outcome = {
  /** What brings it about again. */
  readonly again: string
  readonly transfers: number
  readonly statuses: ReadonlyMap<string, number>
  readonly faults: ReadonlyMap<string, number>
  readonly visited: ReadonlySet<string>
  /** Places where it has written that no census knows. */
  readonly unknown: ReadonlySet<string>
  readonly findings: readonly (
    | Played['findings'][number]
    | { readonly kind: typeof brokenOff; readonly about: string }
  )[]
}
/** What an auditor never says: the world itself has not come to its end. */
export const brokenOff = 'broken off'

export function outcomeOf(again: string, played: Played, known: ReadonlySet<string>): Outcome {
  const { transfers, statuses, findings, faults } = played
  const unknown = new Set([...faults.places].filter((place) => !known.has(place)))
  return {
    again,
    transfers,
    statuses,
    findings,
    faults: faults.counts,
    visited: faults.visited,
    unknown,
  }
}

/** One such world is a finding like others, and does not end the hours of all the rest. */
export function brokenOutcome(again: string, error: unknown): Outcome {
  const about = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return {
    ...{ again, transfers: 0, statuses: new Map(), faults: new Map() },
    ...{ visited: new Set(), unknown: new Set(), findings: [{ kind: brokenOff, about }] },
  }
}

/** What several worlds come to. */
export class Tally {
  transfers = 0
  /** All that can be visited: each process finds the same ones. */
  points: readonly Target[] = []
  /** Moves that no scenario makes. */
  unreached: readonly string[] = []
  readonly unknown = new Set<string>()
  readonly statuses = new Map<string, number>()
  readonly faults = new Map<string, number>()
  readonly findings = new Map<string, number>()
  private readonly visited = new Set<string>()

  add({ transfers, statuses, faults, findings, visited, unknown }: Outcome): void {
    this.transfers += transfers
    const addAll = (to: Map<string, number>, from: ReadonlyMap<string, number>) =>
      from.forEach((count, name) => to.set(name, (to.get(name) ?? 0) + count))
    addAll(this.statuses, statuses)
    addAll(this.faults, faults)
    for (const { kind } of findings) addAll(this.findings, new Map([[kind, 1]]))
    for (const point of visited) this.visited.add(point)
    for (const place of unknown) this.unknown.add(place)
  }

  get faultsCount(): number {
    return [...this.faults.values()].reduce((sum, count) => sum + count, 0)
  }

  unvisited(): readonly string[] {
    return this.points
      .map(({ place, fate }) => pointOf(place, fate))
      .filter((point) => !this.visited.has(point))
  }

  /** Of the two points of each place that only chance has led to. */
  get visitedByChance(): number {
    const fates = ['dies before', 'dies after'] as const
    return [...this.unknown]
      .flatMap((place) => fates.map((fate) => pointOf(place, fate)))
      .filter((point) => this.visited.has(point)).length
  }

  /** Of these kinds of findings. */
  count(...kinds: readonly string[]): number {
    return kinds.reduce((sum, kind) => sum + (this.findings.get(kind) ?? 0), 0)
  }
}
