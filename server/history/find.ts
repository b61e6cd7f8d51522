import type { Database } from '../database/database.ts'
import type { Network } from '@quorate/chains/adapter'
import { pageOf, readPosition } from '../page.ts'
import type { WalletRow } from '../wallets/find.ts'
import { historyItemOf } from './entity.ts'

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
  // Tokens are not followed yet, so that nothing there is of a contract.
  const isOfTokens = query.kind !== undefined && query.kind !== 'NativeTransfer'
  if (query.contract !== undefined || isOfTokens) return { items: [] }
  const settled = await settledNumber(database, network)
  const past = readPosition(query.paginationToken)
  // One bound alone: with two, PostgreSQL walks the index from the newer one to the page.
  const below =
    past !== undefined && past.at <= settled ? past : { at: settled + 1, id: new Uint8Array() }
  const { direction } = query
  const rows = await database
    .selectFrom('history')
    .selectAll()
    .where('organization', '=', wallet.organization)
    .where('wallet', '=', wallet.id)
    .where('canonical', '=', true)
    .where((eb) => (direction === undefined ? eb.lit(true) : eb('direction', '=', direction)))
    .where((eb) => eb(eb.refTuple('block_number', 'id'), '<', eb.tuple(below.at, below.id)))
    .orderBy('block_number', 'desc')
    .orderBy('id', 'desc')
    .limit(query.limit + 1)
    .execute()
  return pageOf(rows, query.limit, {
    positionAt: ({ block_number, id }) => ({ at: block_number, id }),
    itemOf: (row) => historyItemOf(row, wallet),
  })
}

/** The newest block that counts as settled, or none yet. */
async function settledNumber(database: Database, network: Network): Promise<number> {
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
