import type { Reader } from '@quorate/authority/reduce/judging'
import { decodeRecord, recordKey, recoveryTable, userTable } from '@quorate/authority/records'
import { decodePreimage } from '@quorate/authority/request'
import { generationOf } from '@quorate/authority/standing'
import type { Evidence } from '@quorate/authority/step'
import { rootOf, streamName } from '@quorate/authority/stream'
import { fromHex } from '@quorate/core/bytes'
import type { Clock } from './clock.ts'
import type { Place, Store, StoredRecovery } from './store/store.ts'
import type { Certified } from './voting.ts'

type Watch = { readonly store: Pick<Store, 'recoveries'>; readonly clock: Clock }

/**
 * Writes down when this signer hears of a recovery. The time of a step is the word of q signers: a
 * recovery that they date back, or show to nobody until its wait is over, would have none (threats A8).
 */
export function noticeRecoveries(
  { store, clock }: Watch,
  { organization, stream }: Place,
  { time, writes }: Certified,
): void {
  if (streamName(stream) !== streamName(rootOf(organization))) return
  const now = clock.read()
  for (const { key, value } of writes) {
    const [prefix, name = ''] = key.split('/')
    if (prefix !== recoveryTable.prefix) continue
    const { user, generation, effectiveAt, status } = decodeRecord(recoveryTable, value)
    const id = fromHex(name)
    const [waitMs, seen] = [effectiveAt - time, now.ok ? now.time : undefined]
    if (status === 'cancelled') store.recoveries.forget({ organization, id })
    else if (waitMs > 0) store.recoveries.keep({ organization, id, user, generation, waitMs, seen })
  }
}

type Asked = {
  readonly organization: Uint8Array
  readonly evidence: readonly Pick<Evidence, 'preimage'>[]
  readonly reader: Reader
  /** Of the step, by which its author's generation is known. */
  readonly time: number
  /** By the clock of this signer. */
  readonly now: number
}

/**
 * Has somebody here asked for something by a recovery that has waited long enough for everybody
 * else, and not yet since this signer heard of it? One honest signer in every quorum then upholds
 * the wait. Its own view, and never part of validity.
 *
 * @returns for which item this signer takes no part yet, and why
 */
export function refusedByFirstSight(
  store: Watch['store'],
  asked: Asked,
): { readonly item: number; readonly detail: string } | undefined {
  const first = asked.evidence.findIndex(({ preimage }) => {
    const { user } = decodePreimage(preimage)
    return user !== undefined && isUnseen(store, asked, user)
  })
  const tooEarly = first >= 0
  const detail = 'this signer has not known of the recovery for long enough'
  return tooEarly ? { item: first, detail } : undefined
}

/** Whatever a later recovery has brought rests on an earlier one of which the same holds. */
function isUnseen({ recoveries }: Watch['store'], asked: Asked, user: Uint8Array): boolean {
  const { organization, reader, time, now } = asked
  const known = recoveries.of({ organization, user })
  if (known.length === 0) return false
  const value = reader.read(rootOf(organization), recordKey(userTable, user))
  if (value === undefined) return false
  const generation = generationOf(decodeRecord(userTable, value), time)
  return known
    .filter((recovery) => recovery.generation <= generation)
    .some((recovery) => isWaiting(recoveries, recovery, now))
}

function isWaiting(
  recoveries: Store['recoveries'],
  recovery: StoredRecovery,
  now: number,
): boolean {
  if (recovery.seen === undefined) recoveries.see(recovery, now)
  return now < (recovery.seen ?? now) + recovery.waitMs
}
