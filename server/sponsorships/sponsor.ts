import { feeSponsorTable } from '@quorate/authority/records'
import { sponsorOf, type FeeSponsor } from '@quorate/authority/standing'
import { Failure } from '@quorate/core/failure'
import { nameOf } from '@quorate/core/id'
import { isEndUser, type Caller } from '../auth/caller.ts'
import { idNamed, readRoot, type Log, type Root } from '../auth/log.ts'
import type { Database } from '../database/database.ts'
import { walletRows, type WalletRow } from '../wallets/find.ts'

/** What it has sent may still come; but it pays for nothing else. */
export const archivedReason = 'the fee sponsor is archived'

export type SponsorDeps = { readonly database: Database; readonly log: Pick<Log, 'read'> }

/** Who pays, as the records have it now, and the wallet that it pays from. */
export type Sponsor = {
  readonly id: Uint8Array
  readonly record: FeeSponsor
  readonly wallet: WalletRow & { readonly address: string }
}

export async function findSponsor(
  { database, log }: SponsorDeps,
  { organization }: Pick<Caller, 'organization'>,
  id: Uint8Array,
): Promise<Sponsor> {
  const record = await readRoot(log, organization, ({ find }) => find(feeSponsorTable, id))
  if (record === undefined) throw new TypeError('a sponsor that was named has its record')
  const wallet = await walletRows(database, { organization })
    .where('wallets.id', '=', record.wallet)
    .executeTakeFirst()
  if (wallet?.address === undefined || wallet.address === null)
    throw new TypeError('a sponsor has a wallet with an address')
  return { id, record, wallet: { ...wallet, address: wallet.address } }
}

/**
 * May this sponsor pay for what the caller does with this wallet? The rules would say the same; a client
 * is told in words that it knows, before anybody signs.
 *
 * @returns its full id
 * @throws Failure `fee_sponsor.unsuitable`, `fee_sponsor.not_for_end_users`
 */
export function checkSponsor(
  root: Root,
  caller: Caller,
  wallet: Pick<WalletRow, 'id' | 'network'>,
  feeSponsorId: string,
): Uint8Array {
  const id = idNamed(root, 'feeSponsor', feeSponsorId)
  const record = id && root.find(feeSponsorTable, id)
  if (id === undefined || record === undefined)
    throw unsuitable(`there is no fee sponsor ${feeSponsorId}`)
  if (record.status !== 'active') throw unsuitable('the fee sponsor is not active')
  if (record.network !== wallet.network)
    throw unsuitable(`the fee sponsor is of ${record.network}, and the wallet of ${wallet.network}`)
  if (sponsorOf(root, wallet.id) !== undefined)
    throw unsuitable('a wallet that is a fee sponsor is not sponsored itself')
  if (isEndUser(caller) && record.allowEndUser === 'no')
    throw new Failure('fee_sponsor.not_for_end_users', { feeSponsorId })
  return id
}

export function unsuitable(reason: string): Failure {
  return new Failure('fee_sponsor.unsuitable', { reason })
}

export function feeSponsorName(id: Uint8Array): string {
  return nameOf('feeSponsor', id)
}
