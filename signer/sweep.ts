import type { KeyTerms } from '@quorate/authority/key-certificate'
import { decodeRecord, keyTable, pooledKeyTable, recordKey } from '@quorate/authority/records'
import { rootOf, streamName } from '@quorate/authority/stream'
import { toHex } from '@quorate/core/bytes'
import { openAtRoot, type Judges } from './judgement.ts'
import type { KeyEncryption } from './kek.ts'
import type { Self } from './self.ts'
import { openShare, pooledAs, sealShare } from './share.ts'
import type { Place, Store } from './store/store.ts'
import type { Certified } from './voting.ts'

type Keeper = {
  readonly store: Store
  readonly self: Pick<Self, 'index'>
  readonly keyEncryption: KeyEncryption
}

/**
 * What follows from a certified step of the root stream for the shares kept here: a key that it
 * names comes into force with the one share that belongs to it, and a share that no later step can
 * name any more is forgotten.
 */
export function settleShares(keeper: Keeper, place: Place, { time, writes }: Certified): void {
  const { store } = keeper
  if (streamName(place.stream) !== streamName(rootOf(place.organization))) return
  for (const { key, value } of writes) {
    if (!key.startsWith(`${keyTable.prefix}/`)) continue
    const { terms, certificate } = decodeRecord(keyTable, value)
    takeFromPool(keeper, terms, certificate)
    store.shares.activate({ key: terms.key, statement: certificate })
  }
  // Time in a stream never goes back, and no step may use a request later than its `signBefore`.
  for (const orphan of store.shares.pendingBefore(place.organization, time))
    store.shares.deletePending(orphan)
}

/**
 * A share from the pool is sealed anew, for the key and the owner that it has become. One that cannot
 * be opened stays where it is: this signer then has no share of the key in force, as of any other
 * that its store has lost.
 */
function takeFromPool(
  { store, self, keyEncryption }: Keeper,
  { organization, key, owner }: KeyTerms,
  statement: Uint8Array,
): void {
  const sealed = store.shares.pooled(statement)
  if (sealed === undefined) return
  const of = { signer: self.index, organization, statement }
  const share = openShare(keyEncryption, pooledAs(of), sealed)
  if (share === undefined) return
  store.shares.bind({ key, statement }, sealShare(keyEncryption, { ...of, key, owner }, share))
  share.secret.fill(0)
}

/** Clocks may be off by seconds, a request lives an hour at most: by then it is dead for everybody. */
export const expiredAfterMs = 24 * 60 * 60_000
/** One generation makes one share: whoever finds the house full makes room for many more than that. */
const evictedMax = 100

/**
 * An organization whose root stream stands still sweeps nothing, and anybody may found one. So a
 * share whose request has expired long since goes too, by what time it surely is. A fresh step may
 * not use that request any more. One that was voted for in time may still be certified, through an
 * old lock: a lock has q votes, so that q - f >= t honest signers have it open and keep their shares,
 * as this one does if it is among them. Those count for no limit: q signers have let them be.
 */
export function evictExpired(judges: Judges, expired: number): void {
  const { store } = judges
  const open = new Map<string, ReturnType<typeof openAtRoot>>()
  for (const share of store.shares.oldestPending(expired, evictedMax)) {
    const { organization, key, statement } = share
    const name = toHex(organization)
    const writes = open.get(name) ?? openAtRoot(judges, organization)
    open.set(name, writes)
    const named = [recordKey(keyTable, key), recordKey(pooledKeyTable, statement)]
    if (!writes.some((write) => named.includes(write.key))) store.shares.deletePending(share)
  }
}
