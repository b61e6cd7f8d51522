import { compareBytes, toHex } from '@quorate/core/bytes'
import type { Network } from '@quorate/chains/adapter'
import { sql } from 'kysely'
import type { DatabaseTransaction } from '../database/database.ts'
import { eventRow } from '../outbox.ts'
import { walletOf } from '../wallets/entity.ts'
import { walletsOfAll, type WalletRow } from '../wallets/find.ts'
import { historyItemOf, type HistoryRow } from './entity.ts'
import type { Follower } from './follower.ts'
import { findTokenWords } from './tokens.ts'
import { untold } from './untold.ts'

/** In one transaction; one block may have more. */
const toldAtOnce = 2_000

/**
 * An event for each movement that is settled and was not told of yet, with the mark that it was: each
 * is told of once, and not before a reorganization can no longer take it back. Those of one contract,
 * and those that the operator vouches for, in their order.
 *
 * @returns `more` where some may be left to the next time
 */
export async function tellSettled(
  transaction: DatabaseTransaction,
  follower: Pick<Follower, 'chain' | 'toldUpTo'>,
  now: number,
): Promise<'more' | 'all'> {
  const { network } = follower.chain
  const due = await untold(transaction, follower, { limit: toldAtOnce, now })
  if (due.length === 0) return 'all'
  const { rows } = await sql<HistoryRow>`
    update history h set told = true
    from unnest(
      ${due.map(({ organization }) => organization)}::bytea[],
      ${due.map(({ wallet }) => wallet)}::bytea[],
      ${due.map(({ id }) => id)}::bytea[]) due (organization, wallet, id)
    where h.organization = due.organization and h.wallet = due.wallet and h.id = due.id
    returning h.*`.execute(transaction)
  await tell(transaction, { network, now }, rows.toSorted(oldestFirst))
  return due.length < toldAtOnce ? 'all' : 'more'
}

/** Whoever calls it marks them, in the same transaction. */
export async function tell(
  transaction: DatabaseTransaction,
  { network, now }: { readonly network: Network; readonly now: number },
  rows: readonly HistoryRow[],
): Promise<void> {
  const contracts = rows.map(({ contract }) => contract)
  const words = await findTokenWords(transaction, network.id, contracts)
  const wallets = await walletsOf(transaction, rows)
  const events = rows.flatMap((row) => {
    const wallet = wallets.get(nameOf(row.organization, row.wallet))
    if (wallet === undefined) return []
    const blockchainEvent = historyItemOf(row, wallet, network, words.get(row.contract ?? ''))
    const data = { blockchainEvent, wallet: walletOf(wallet) }
    const { organization } = row
    return eventRow({ organization, kind: 'wallet.blockchainevent.detected', data, at: now })
  })
  if (events.length > 0) await transaction.insertInto('outbox').values(events).execute()
}

async function walletsOf(
  transaction: DatabaseTransaction,
  rows: readonly HistoryRow[],
): Promise<ReadonlyMap<string, WalletRow>> {
  if (rows.length === 0) return new Map()
  const organizations = rows.map(({ organization }) => organization)
  const ids = rows.map(({ wallet }) => wallet)
  const wallets = await walletsOfAll(transaction)
    .where(
      sql<boolean>`(wallets.organization, wallets.id) in (
        select * from unnest(${organizations}::bytea[], ${ids}::bytea[]))`,
    )
    .execute()
  return new Map(wallets.map((wallet) => [nameOf(wallet.organization, wallet.id), wallet]))
}

function nameOf(organization: Uint8Array, wallet: Uint8Array): string {
  return toHex(organization) + toHex(wallet)
}

function oldestFirst(a: HistoryRow, b: HistoryRow): number {
  return a.block_number - b.block_number || compareBytes(a.id, b.id)
}
