import type { Network } from '@quorate/chains/adapter'
import { evm } from '@quorate/chains/evm/index'
import { compareBytes } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import { pageOf, type Position, readPosition } from '../page.ts'
import type { WalletRow } from '../wallets/find.ts'
import { historyItemOf, type HistoryRow } from './entity.ts'
import { findTokenWords } from './tokens.ts'

export type HistoryQuery = {
  readonly limit: number
  readonly paginationToken?: string | undefined
  readonly direction?: 'In' | 'Out' | undefined
  readonly kind?: string | undefined
  readonly contract?: string | undefined
}

/** What is settled of a wallet's movements, newest first. */
export async function listHistory(
  database: Database,
  { wallet, network }: { readonly wallet: WalletRow; readonly network: Network },
  query: HistoryQuery,
) {
  const contract = query.contract === undefined ? undefined : contractOf(query.contract)
  if (contract === '' || (query.kind !== undefined && !isKind(query.kind))) return { items: [] }
  const settled = await settledNumber(database, network)
  const past = readPosition(query.paginationToken)
  // One bound alone: with two, PostgreSQL walks the index from the newer one to the page.
  const below =
    past !== undefined && past.at <= settled ? past : { at: settled + 1, id: new Uint8Array() }
  const rows = await filteredRows(database, wallet, { ...query, contract, below })
  const contracts = rows.map((row) => row.contract)
  const words = await findTokenWords(database, wallet.network, contracts)
  return pageOf(rows, query.limit, {
    positionAt: ({ block_number, id }) => ({ at: block_number, id }),
    itemOf: (row) => historyItemOf(row, wallet, network, words.get(row.contract ?? '')),
  })
}

type Filter = {
  readonly limit: number
  readonly below: Position
  readonly direction?: 'In' | 'Out' | undefined
  readonly kind?: string | undefined
  readonly contract?: string | undefined
}

/**
 * One more than the page holds. Each filter has an index in the order of the list; where it leaves
 * something open, each of what it may be is read for itself, and the newest of all are the page.
 */
async function filteredRows(
  database: Database,
  wallet: WalletRow,
  filter: Filter,
): Promise<readonly HistoryRow[]> {
  const { limit, contract, kind } = filter
  if (kind === undefined && contract === undefined) return walkRows(database, wallet, filter)
  const open = contract === undefined || kind !== undefined ? [kind] : kinds
  const directions = filter.direction === undefined ? (['In', 'Out'] as const) : [filter.direction]
  const walks = open.flatMap((each) =>
    directions.map((direction) => ({ ...filter, kind: each, direction })),
  )
  const pages = await Promise.all(walks.map((walk) => walkRows(database, wallet, walk)))
  return pages
    .flat()
    .toSorted(newestFirst)
    .slice(0, limit + 1)
}

function walkRows(
  database: Database,
  wallet: WalletRow,
  { limit, below, direction, kind, contract }: Filter,
): Promise<readonly HistoryRow[]> {
  let rows = database
    .selectFrom('history')
    .selectAll()
    .where('organization', '=', wallet.organization)
    .where('wallet', '=', wallet.id)
    .where('canonical', '=', true)
  if (direction !== undefined) rows = rows.where('direction', '=', direction)
  if (isKind(kind)) rows = rows.where('kind', '=', kind)
  if (contract !== undefined) rows = rows.where('contract', '=', contract)
  return rows
    .where((eb) => eb(eb.refTuple('block_number', 'id'), '<', eb.tuple(below.at, below.id)))
    .orderBy('block_number', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
}

function newestFirst(a: HistoryRow, b: HistoryRow): number {
  return b.block_number - a.block_number || compareBytes(b.id, a.id)
}

const kinds = ['NativeTransfer', 'Erc20Transfer', 'Erc721Transfer', 'Erc1155Transfer'] as const

/** What no chain of ours has is of nothing. */
function isKind(kind: string | undefined): kind is (typeof kinds)[number] {
  return kinds.some((known) => known === kind)
}

/** As rows have it; empty for what is no contract's address. */
function contractOf(text: string): string {
  try {
    return evm.parseAddress(text)
  } catch (error) {
    if (isFailure(error, 'address.malformed')) return ''
    throw error
  }
}

/** The newest block that counts as settled, or none yet. */
export async function settledNumber(
  database: Database | DatabaseTransaction,
  network: Network,
): Promise<number> {
  const tip = await database
    .selectFrom('block_headers')
    .select('number')
    .where('network', '=', network.id)
    .where('canonical', '=', true)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
  return tip === undefined ? -1 : tip.number - network.confirmationsFinal + 1
}
