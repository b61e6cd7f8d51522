import { equalBytes } from '@quorate/core/bytes'
import { feeSponsorTable, keyTable, walletTable, type RecordOf } from '../records.ts'
import { isFrozen, sponsorOf, type FeeSponsor } from '../standing.ts'
import type { Authored } from './author.ts'
import { find, recordsOf, refuse, type Judging, type Sponsored } from './judging.ts'

/** Who pays the fees of a request, as the records have it now. */
export type Sponsor = {
  readonly id: Uint8Array
  readonly record: FeeSponsor
  readonly key: RecordOf<typeof keyTable>
}

/** The sponsor that a request names, if it names one. */
export function sponsorNamed({ preimage }: Pick<Judging, 'preimage'>): Uint8Array | undefined {
  return preimage.subjects.find(({ role }) => role === 'feeSponsorId')?.id
}

/**
 * Once the time is over that was signed for, the contract takes it no more, and an archived sponsor
 * pays for nothing any more. Then a bid is for the slot alone, so that what leaves the sponsor's wallet later
 * is not held up by what can only fail.
 */
export function isFill(judging: Judging): boolean {
  const { rule, bid, step, preimage } = judging
  if (rule === undefined || bid === 0) return false
  const id = sponsorNamed(judging)
  const isArchived = id !== undefined && find(judging, feeSponsorTable, id)?.status === 'archived'
  return isArchived || step.time > preimage.executeBefore
}

/**
 * May this sponsor pay for this wallet, at this user's request? The sponsor's own users are not
 * asked: that it stands among the records is their standing consent.
 *
 * @returns nothing where the request names no sponsor
 */
export function judgeSponsor(
  judging: Judging,
  { record: { kind } }: Pick<Authored, 'record'>,
  paid: { readonly wallet: Uint8Array; readonly network: string },
): Sponsor | undefined {
  const id = sponsorNamed(judging)
  if (id === undefined) return undefined
  const record = find(judging, feeSponsorTable, id)
  if (record === undefined) return refuse('there is no such fee sponsor')
  if (record.network !== paid.network) refuse('the fee sponsor is of another network')
  const sponsor = { id, record, key: payingKey(judging, record) }
  // A slot that it has taken is made free for its own sake, whatever has become of it since.
  if (isFill(judging)) return sponsor
  if (record.status !== 'active') refuse('the fee sponsor is not active')
  if (kind === 'endUser' && record.allowEndUser === 'no')
    refuse('the fee sponsor pays for no end users')
  if (sponsorOf(recordsOf(judging), paid.wallet) !== undefined)
    refuse("a sponsor's own wallet cannot be sponsored")
  return sponsor
}

/** It has to be the organization's own still, and nobody may have stopped it. */
function payingKey(judging: Judging, { wallet }: FeeSponsor): Sponsor['key'] {
  const key = find(judging, keyTable, find(judging, walletTable, wallet)?.key ?? wallet)
  if (key === undefined) return refuse('there is no key of this fee sponsor')
  const { status, owner, terms, derivation } = key
  if (status !== 'active') refuse('the key of the fee sponsor is archived')
  if (owner !== undefined) refuse("the key of the fee sponsor is a user's own")
  const records = recordsOf(judging)
  const isStopped =
    isFrozen(records, terms.key) ||
    (derivation !== undefined && isFrozen(records, derivation.master))
  if (isStopped) refuse('the key of the fee sponsor is frozen')
  return key
}

/** What the bytes depend on of all this. */
export function sponsoredBy({ challenge, preimage }: Judging, { key }: Sponsor): Sponsored {
  const { executeBefore } = preimage
  return { request: challenge, executeBefore, sponsor: key.publicKey }
}

/** Is the key's stream the one in which it pays? */
export function isItsStream({ step }: Judging, { key }: Sponsor): boolean {
  return step.stream.kind === 'key' && equalBytes(step.stream.id, key.terms.key)
}
