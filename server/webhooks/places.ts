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
 */
export function shareOut(waiting: readonly Waiting[], running: readonly Taken[]): readonly Want[] {
  const counts = new Map<string, number>()
  const count = (name: string) => counts.get(name) ?? 0
  for (const name of running.flatMap(namesOf)) counts.set(name, count(name) + 1)
  let silent = running.filter((one) => one.isSilent).length
  const wants = new Map<Waiting, number>()
  for (let free = attemptsMax - running.length; free > 0; free--) {
    const next = waiting
      .filter((one) => !isSilent(one) || silent < silentMax)
      .map((one) => ({ one, inAll: count(organizationOf(one)), own: count(webhookOf(one)) }))
      .filter(({ one, inAll, own }) => inAll < organizationMax && own < ownMax(one))
      .reduce<Candidate | undefined>(
        (best, other) => (isBefore(best, other) ? best : other),
        undefined,
      )
    if (next === undefined) break
    wants.set(next.one, (wants.get(next.one) ?? 0) + 1)
    for (const name of namesOf(next.one)) counts.set(name, count(name) + 1)
    if (isSilent(next.one)) silent += 1
  }
  return [...wants].map(([{ organization, webhook }, own]) => ({
    organization,
    webhook,
    count: own,
  }))
}

type Candidate = { readonly one: Waiting; readonly inAll: number; readonly own: number }

function isBefore(best: Candidate | undefined, other: Candidate): boolean {
  if (best === undefined) return false
  return best.inAll === other.inAll ? best.own <= other.own : best.inAll < other.inAll
}

function ownMax(one: Waiting): number {
  return one.latest === null || isSilent(one) ? 1 : webhookMax
}

function namesOf(one: Place): readonly string[] {
  return [organizationOf(one), webhookOf(one)]
}

function organizationOf({ organization }: Place): string {
  return toHex(organization)
}

export function webhookOf({ organization, webhook }: Place): string {
  return `${toHex(organization)}/${toHex(webhook)}`
}
