import { Failure, isFailure } from '@quorate/core/failure'

/** What was fetched from addresses that customers chose, kept for a while. */
export type Fetched<T> = {
  /** @throws Failure `issuer.unavailable` */
  get(url: string): Promise<T>
  /** As `get`, but asks again for what has lately not been asked for: a key may be new. */
  renew(url: string): Promise<T>
}

type Entry<T> = {
  kept?: { readonly value: T; readonly until: number }
  failure?: Failure<'issuer.unavailable'>
  askedAt: number
  pending?: Promise<T>
}

/** Of documents of some kilobytes each; the one longest not used makes room. */
const entriesMaxDefault = 512
/**
 * Whoever sends tokens with made-up key ids, or for an issuer that is down, makes us ask no more
 * often than this.
 */
export const askEveryMs = 15_000

/** @param read asks; what it throws but `issuer.unavailable` is a defect and is not kept */
export function openFetched<T>(deps: {
  readonly read: (url: string) => Promise<T>
  readonly lifeMs: number
  readonly now: () => number
  readonly entriesMax?: number
}): Fetched<T> {
  const { read, lifeMs, now, entriesMax = entriesMaxDefault } = deps
  const entries = new Map<string, Entry<T>>()

  const ask = (url: string, entry: Entry<T>): Promise<T> => {
    entry.askedAt = now()
    entry.pending = read(url)
      .then((value) => {
        entry.kept = { value, until: now() + lifeMs }
        delete entry.failure
        return value
      })
      .catch((error: unknown) => {
        if (isFailure(error, 'issuer.unavailable')) entry.failure = error
        throw error
      })
      .finally(() => delete entry.pending)
    return entry.pending
  }
  /** Those that ask for the same at once wait for one answer. */
  const askIfDue = (url: string, entry: Entry<T>): Promise<T> | undefined => {
    if (entry.pending !== undefined) return entry.pending
    return now() >= entry.askedAt + askEveryMs ? ask(url, entry) : undefined
  }
  const keptOf = (entry: Entry<T>) =>
    entry.kept !== undefined && entry.kept.until > now() ? entry.kept : undefined
  const entryOf = (url: string): Entry<T> => {
    const entry = entries.get(url) ?? roomFor(entries, entriesMax, url)
    entries.delete(url)
    entries.set(url, entry)
    return entry
  }
  const settle = async (url: string, entry: Entry<T>): Promise<T> => {
    const asked = askIfDue(url, entry)
    if (asked !== undefined) return asked
    const kept = keptOf(entry)
    if (kept !== undefined) return kept.value
    // Within the pause after a failure; a value's life is longer than the pause.
    throw entry.failure ?? new Failure('issuer.unavailable', { issuer: url, reason: 'failed' })
  }
  return {
    get: async (url) => {
      const entry = entryOf(url)
      return keptOf(entry)?.value ?? settle(url, entry)
    },
    renew: async (url) => settle(url, entryOf(url)),
  }
}

/** Whatever is being asked for stays: so at most `entriesMax` questions are open at once. */
function roomFor<T>(entries: Map<string, Entry<T>>, entriesMax: number, url: string): Entry<T> {
  if (entries.size >= entriesMax) {
    const [oldest] = [...entries].find(([, { pending }]) => pending === undefined) ?? []
    if (oldest === undefined)
      throw new Failure('issuer.unavailable', { issuer: url, reason: 'too many at once' })
    entries.delete(oldest)
  }
  return { askedAt: Number.NEGATIVE_INFINITY }
}
