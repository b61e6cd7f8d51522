import type { SelectQueryBuilder } from 'kysely'
import { Failure } from '@quorate/core/failure'
import type { Caller } from '../auth/caller.ts'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { newestThatFit, pageOf } from '../page.ts'
import { findWallet } from '../wallets/find.ts'
import type { Outgoing } from './tables.ts'

type Kind = Outgoing['kind']

/** @throws Failure `transfer.not_found`, `transaction.not_found`, for another wallet's too */
export async function findOutgoing(
  database: Database | DatabaseTransaction,
  { organization }: Pick<Caller, 'organization'>,
  named: { readonly kind: Kind; readonly name: string; readonly walletId?: string },
): Promise<Outgoing> {
  const { kind, name, walletId } = named
  const row = await database
    .selectFrom('outgoing')
    .selectAll()
    .where('organization', '=', organization)
    .where('name', '=', name)
    .where('kind', '=', kind)
    .executeTakeFirst()
  if (row !== undefined && (walletId === undefined || row.wallet_id === walletId)) return row
  throw kind === 'transfer'
    ? new Failure('transfer.not_found', { transferId: name })
    : new Failure('transaction.not_found', { transactionId: name })
}

/** Of a wallet that the caller may see. @throws Failure `wallet.not_found` besides */
export async function findOwnOutgoing(
  database: Database,
  caller: Caller,
  named: { readonly kind: Kind; readonly name: string; readonly walletId: string },
): Promise<Outgoing> {
  await findWallet(database, caller, named.walletId)
  return findOutgoing(database, caller, named)
}

export type ListQuery = { readonly limit: number; readonly paginationToken?: string | undefined }

/** Of one wallet, newest first. @throws Failure `wallet.not_found`, `body.malformed` */
export async function listOutgoing<Item>(
  database: Database,
  caller: Caller,
  asked: { readonly kind: Kind; readonly walletId: string; readonly query: ListQuery },
  itemOf: (row: Outgoing) => Item,
): Promise<{ items: Item[]; nextPageToken?: string; walletId: string }> {
  const { kind, walletId, query } = asked
  const wallet = await findWallet(database, caller, walletId)
  const rows = database
    .selectFrom('outgoing')
    .selectAll()
    .where('organization', '=', caller.organization)
    .where('wallet', '=', wallet.id)
    .where('kind', '=', kind)
  return { ...(await pageOfOutgoing(rows, query, itemOf)), walletId }
}

/** Of all wallets, newest first. An external id is of one request, or of one for each end user. */
export async function listOrgOutgoing<Item>(
  database: Database,
  { organization }: Pick<Caller, 'organization'>,
  asked: { readonly kind: Kind; readonly query: ListQuery & { externalId?: string | undefined } },
  itemOf: (row: Outgoing) => Item,
): Promise<{ items: Item[]; nextPageToken?: string }> {
  const { kind, query } = asked
  const { externalId } = query
  let rows = database
    .selectFrom('outgoing')
    .selectAll()
    .where('organization', '=', organization)
    .where('kind', '=', kind)
  if (externalId !== undefined) rows = rows.where('external_id', '=', externalId)
  return pageOfOutgoing(rows, query, itemOf)
}

async function pageOfOutgoing<Item>(
  rows: SelectQueryBuilder<Tables, 'outgoing', Outgoing>,
  query: ListQuery,
  itemOf: (row: Outgoing) => Item,
): Promise<{ items: Item[]; nextPageToken?: string }> {
  const weighed = ['evidence', 'facts', 'signed', 'original']
  const { found, limit } = await newestThatFit(rows, query, { weighed })
  const positionAt = ({ created_at, id }: Outgoing) => ({ at: created_at, id })
  return pageOf(found, limit, { positionAt, itemOf })
}
