import { breakTable, decodeRecord, encodeRecord, recordKey } from '@quorate/authority/records'
import { rootOf, streamName } from '@quorate/authority/stream'
import { fromHex } from '@quorate/core/bytes'
import type { Clock } from './clock.ts'
import type { Sealed } from './store/reader.ts'
import type { Place, Store, StoredBreak } from './store/store.ts'
import type { Certified } from './voting.ts'

type Watch = { readonly store: Pick<Store, 'breaks'>; readonly clock: Clock }

/**
 * Writes down when this signer hears that a policy is to end by its break-glass quorum. The time of
 * a step is the word of q signers: whoever dates it back would have warned nobody.
 */
export function noticeBreaks(
  { store, clock }: Watch,
  { organization, stream }: Place,
  { time, writes }: Certified,
): void {
  if (streamName(stream) !== streamName(rootOf(organization))) return
  const now = clock.read()
  for (const { key, value } of writes) {
    const [prefix, name = ''] = key.split('/')
    if (prefix !== breakTable.prefix) continue
    const policy = fromHex(name)
    const { effectiveAt } = decodeRecord(breakTable, value)
    if (effectiveAt === undefined) store.breaks.forget({ organization, policy })
    else
      store.breaks.keep({
        ...{ organization, policy, waitMs: effectiveAt - time },
        seen: now.ok ? now.time : undefined,
      })
  }
}

/**
 * The root stream as if policies stood that others count as ended and that this signer has not known
 * to be ending for as long as everybody should have. Its own view, and never part of validity.
 */
export function withUnseenBreaks(
  { breaks }: Watch['store'],
  { organization, now }: { readonly organization: Uint8Array; readonly now: number },
  sealed: readonly Sealed[],
): readonly Sealed[] {
  const waiting = breaks.of(organization).filter((one) => isWaiting(breaks, one, now))
  if (waiting.length === 0) return sealed
  const standing = encodeRecord(breakTable, { signedBy: [], expiresAt: 0, effectiveAt: undefined })
  const overrides = waiting.map(({ policy }) => ({
    ...{ key: recordKey(breakTable, policy), value: standing },
  }))
  const writes = [...sealed.flatMap((one) => one.writes), ...overrides]
  return [{ stream: rootOf(organization), writes }]
}

function isWaiting(breaks: Store['breaks'], one: StoredBreak, now: number): boolean {
  if (one.seen === undefined) breaks.see(one, now)
  return now < (one.seen ?? now) + one.waitMs
}
