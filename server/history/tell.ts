import { compareBytes, toHex } from '@quorate/core/bytes'
import type { Network } from '@quorate/chains/adapter'
import { sql } from 'kysely'
import type { DatabaseTransaction } from '../database/database.ts'
import { eventRow } from '../outbox.ts'
import { walletOf } from '../wallets/entity.ts'
import { walletsOfAll, type WalletRow } from '../wallets/find.ts'
import { historyItemOf, type HistoryRow } from './entity.ts'
import { settledNumber } from './find.ts'
import { findTokenWords } from './tokens.ts'

/** In one transaction; one block may have more. */
const toldAtOnce = 2_000

/**
 * An event for each movement that is settled and was not told of yet, oldest first, with the mark
 * that it was: each is told of once, and not before a reorganization can no longer take it back.
 *
 * @returns `more` where some may be left to the next time
 */
export async function tellSettled(
  transaction: DatabaseTransaction,
  network: Network,
  now: number,
): Promise<'more' | 'all'> {
  const settled = await settledNumber(transaction, network)
  // Of a chain that was since followed anew, some blocks are on no chain that anybody holds.
  const { rows } = await sql<HistoryRow>`
    with due as (
      select h.organization, h.wallet, h.id from history h
      join block_headers b on b.network = h.network and b.hash = h.block_hash
      where h.network = ${network.id} and h.canonical and not h.told
        and h.block_number <= ${settled}
      order by h.block_number, h.id limit ${toldAtOnce}
    )
    update history h set told = true from due
    where h.organization = due.organization and h.wallet = due.wallet and h.id = due.id
    returning h.*`.execute(transaction)
  await tell(transaction, { network, now }, rows.toSorted(oldestFirst))
  return rows.length < toldAtOnce ? 'all' : 'more'
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
