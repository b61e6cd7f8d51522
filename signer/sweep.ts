import { decodeRecord, keyTable } from '@quorate/authority/records'
import { rootOf, streamName } from '@quorate/authority/stream'
import type { Place, Store } from './store/store.ts'
import type { Certified } from './voting.ts'

/**
 * What follows from a certified step of the root stream for the shares kept here: a key that it
 * names comes into force with the one share that belongs to it, and a share that no later step can
 * name any more is forgotten.
 */
export function settleShares(store: Store, place: Place, { time, writes }: Certified): void {
  if (streamName(place.stream) !== streamName(rootOf(place.organization))) return
  for (const { key, value } of writes) {
    if (!key.startsWith(`${keyTable.prefix}/`)) continue
    const { terms, certificate } = decodeRecord(keyTable, value)
    store.shares.activate({ key: terms.key, statement: certificate })
  }
  // Time in a stream never goes back, and no step may use a request later than its `signBefore`.
  for (const orphan of store.shares.pendingBefore(place.organization, time))
    store.shares.deletePending(orphan)
}
