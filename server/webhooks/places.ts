import { toHex } from '@quorate/core/bytes'
import type { Place, Waiting, Want } from './lease.ts'

/** Each waits for a receiver and holds a socket, and next to nothing else. */
export const attemptsMax = 128
/** Of one organization, with all its webhooks. */
export const organizationMax = 16
/** Of one webhook that answers. One that does not, or has not yet been asked, has a single place. */
export const webhookMax = 8
/** Of all webhooks that do not answer: so many dead receivers leave half of the places alone. */
export const silentMax = attemptsMax / 2

/** An attempt that is under way. */
export type Taken = Place & { readonly isSilent: boolean }

/** An answer begins with its status; a word says why there was none. */
export function isSilent({ latest }: Waiting): boolean {
  return latest !== null && !/^[0-9]/.test(latest)
}

/**
 * Who gets the free places: each goes to the organization that has the fewest, and there to the webhook
 * that has. Who waits for longest counts for nothing, or a receiver that is never done would be first.
 * Of equals the lot decides: whoever is last in some order would never be asked while others are not done.
 *
 * @param lot any whole number from 0 that is below the one given
 */
export function shareOut(
  waiting: readonly Waiting[],
  running: readonly Taken[],
  lot: (below: number) => number,
): readonly Want[] {
  const counts = new Map<string, number>()
  const count = (name: string) => counts.get(name) ?? 0
  for (const name of running.flatMap(namesOf)) counts.set(name, count(name) + 1)
  let silent = running.filter((one) => one.isSilent).length
  const wants = new Map<Waiting, number>()
  // Named once: of each place that is free, all of them are asked.
  const candidates = inAnyOrder(waiting, lot).map((one): Candidate => ({
    ...{ one, names: namesOf(one), isSilent: isSilent(one), max: ownMax(one) },
  }))
  for (let free = attemptsMax - running.length; free > 0; free--) {
    let next: (Candidate & Standing) | undefined
    for (const candidate of candidates) {
      const [organization, webhook] = candidate.names
      const [inAll, own] = [count(organization), count(webhook)]
      const isFull = inAll >= organizationMax || own >= candidate.max
      if (isFull || (candidate.isSilent && silent >= silentMax)) continue
      if (next === undefined || isBefore({ inAll, own }, next)) next = { ...candidate, inAll, own }
    }
    if (next === undefined) break
    wants.set(next.one, (wants.get(next.one) ?? 0) + 1)
    for (const name of next.names) counts.set(name, count(name) + 1)
    if (next.isSilent) silent += 1
  }
  return [...wants].map(([{ organization, webhook }, own]) => ({
    organization,
    webhook,
    count: own,
  }))
}

/** Fisher and Yates: each order is as likely as the others. */
function inAnyOrder<T>(all: readonly T[], lot: (below: number) => number): readonly T[] {
  const left = [...all]
  return all.flatMap(() => left.splice(lot(left.length), 1))
}

/** How many places its organization has, and how many it has itself. */
type Standing = { readonly inAll: number; readonly own: number }
type Candidate = {
  readonly one: Waiting
  /** Of its organization, and its own. */
  readonly names: readonly [string, string]
  readonly isSilent: boolean
  readonly max: number
}

function isBefore(one: Standing, other: Standing): boolean {
  return one.inAll === other.inAll ? one.own < other.own : one.inAll < other.inAll
}

function ownMax(one: Waiting): number {
  return one.latest === null || isSilent(one) ? 1 : webhookMax
}

function namesOf(one: Place): readonly [string, string] {
  return [organizationOf(one), webhookOf(one)]
}

function organizationOf({ organization }: Place): string {
  return toHex(organization)
}

export function webhookOf({ organization, webhook }: Place): string {
  return `${toHex(organization)}/${toHex(webhook)}`
}
