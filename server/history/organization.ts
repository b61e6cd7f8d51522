import { cutPage, positionOf } from '@quorate/api/page'
import { fromHex, toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import type { Caller } from '../auth/caller.ts'
import type { Chains } from '../chain/chains.ts'
import type { Database } from '../database/database.ts'
import { foreignToken, type Paging } from '../page.ts'
import type { HistoryRow } from './entity.ts'
import { settledNumber } from './find.ts'
import { findTokenWords, type TokenWordsByContract } from './tokens.ts'

type Row = HistoryRow & { readonly wallet_id: string }
type Span = { readonly start: number; readonly end: number }
type Asked = { readonly database: Database; readonly chains: Chains; readonly span: Span }
/** Two wallets may have movements of one moment and one id: those that only the balance tells of. */
type Position = Pick<HistoryRow, 'time' | 'id' | 'wallet'>

/** One table, as spreadsheets open it. More would be cut off without a word: a shorter time is asked for. */
export const csvRowsMax = 100_000
const rowsAtOnce = 1_000
/** Before every id. */
const none = new Uint8Array()

/** Every wallet's settled movements, newest first by the clocks of their chains, which have seconds. */
export async function listOrgHistory(asked: Asked, { organization, orgId }: Caller, query: Paging) {
  const past = query.paginationToken === undefined ? undefined : read(query.paginationToken)
  const rows = await rowsBelow(asked, organization, { past, limit: query.limit + 1 })
  const words = await wordsOf(asked.database, rows)
  const { items, ...next } = cutPage(rows, query.limit, positionText)
  return { orgId, items: items.map((row) => itemOf(asked.chains, row, words)), ...next }
}

const form = /^([0-9]{1,15})\.([0-9a-f]{64})\.([0-9a-f]{64})$/

function positionText({ time, id, wallet }: Position): string {
  return `${time}.${toHex(id)}.${toHex(wallet)}`
}

/** One without a wallet does not say which of several rows was the last that was shown. */
function read(token: string): Position {
  const [, time, id, wallet] = form.exec(positionOf(token)) ?? []
  if (time === undefined || id === undefined || wallet === undefined) throw foreignToken()
  return { time: Number(time), id: fromHex(id), wallet: fromHex(wallet) }
}

/**
 * The same page by page, for a table.
 * @throws Failure `body.malformed` for more than a table may have, before the first page
 */
export async function* orgHistoryRows(
  asked: Asked,
  { organization }: Caller,
  rowsMax = csvRowsMax,
) {
  const [over] = await rowsBelow(asked, organization, { limit: 1, offset: rowsMax })
  if (over !== undefined) throw tooMany(rowsMax)
  let past: Position | undefined
  for (let count = 0; ; count += rowsAtOnce) {
    const rows = await rowsBelow(asked, organization, { past, limit: rowsAtOnce })
    if (count + rows.length > rowsMax) throw tooMany(rowsMax)
    const words = await wordsOf(asked.database, rows)
    yield rows.map((row) => itemOf(asked.chains, feeOnce(row), words))
    const last = rows.at(-1)
    if (last === undefined || rows.length < rowsAtOnce) return
    past = last
  }
}

/**
 * A fee stands at each movement of its transaction. Columns are summed up: in a table it stands where it
 * was paid, at the one native movement, if of nothing, that a transaction is of its sender.
 */
function feeOnce(row: Row): Row {
  const isPayer = row.kind === 'NativeTransfer' && row.direction === 'Out'
  return isPayer ? row : { ...row, fee: null }
}

async function rowsBelow(
  { database, chains, span: { start, end } }: Asked,
  organization: Uint8Array,
  page: { readonly past?: Position | undefined; readonly limit: number; readonly offset?: number },
): Promise<readonly Row[]> {
  const settled = await settledByNetwork(database, chains)
  if (settled.length === 0) return []
  // One bound alone, as in a wallet's list. No id is below none.
  const { past } = page
  const below = past !== undefined && past.time < end ? past : { time: end, id: none, wallet: none }
  return database
    .selectFrom('history')
    .innerJoin('wallets', (join) =>
      join
        .onRef('wallets.organization', '=', 'history.organization')
        .onRef('wallets.id', '=', 'history.wallet'),
    )
    .selectAll('history')
    .select('wallets.wallet_id')
    .where('history.organization', '=', organization)
    .where('history.canonical', '=', true)
    .where('history.time', '>=', start)
    .where((eb) =>
      eb(
        eb.refTuple('history.time', 'history.id', 'history.wallet'),
        '<',
        eb.tuple(below.time, below.id, below.wallet),
      ),
    )
    .where((eb) =>
      eb.or(
        settled.map(({ network, number }) =>
          eb.and([eb('history.network', '=', network), eb('history.block_number', '<=', number)]),
        ),
      ),
    )
    .orderBy('history.time', 'desc')
    .orderBy('history.id', 'desc')
    .orderBy('history.wallet', 'desc')
    .limit(page.limit)
    .offset(page.offset ?? 0)
    .execute()
}

/** Of every network that is or was followed; as the operator counts where it still is. */
async function settledByNetwork(database: Database, { all, named }: Chains) {
  const followed = await database.selectFrom('chain_heads').select('network').execute()
  return Promise.all(
    followed.map(async ({ network: id }) => {
      const network = all.find((chain) => chain.network.id === id)?.network ?? named(id)
      return { network: id, number: await settledNumber(database, network) }
    }),
  )
}

async function wordsOf(
  database: Database,
  rows: readonly Row[],
): Promise<ReadonlyMap<string, TokenWordsByContract>> {
  const networks = [...new Set(rows.map(({ network }) => network))]
  const found = networks.map(async (network) => {
    const contracts = rows.map((row) => (row.network === network ? row.contract : null))
    return [network, await findTokenWords(database, network, contracts)] as const
  })
  return new Map(await Promise.all(found))
}

function itemOf({ named }: Chains, row: Row, words: ReadonlyMap<string, TokenWordsByContract>) {
  const { nativeAsset } = named(row.network)
  const said =
    row.contract === null ? nativeAsset : (words.get(row.network)?.get(row.contract) ?? {})
  const fee = { feeSymbol: nativeAsset.symbol, feeDecimals: String(nativeAsset.decimals) }
  return {
    timestamp: new Date(row.time).toISOString(),
    walletId: row.wallet_id,
    network: row.network,
    direction: row.direction,
    ...(row.sender === null ? {} : { from: row.sender }),
    ...(row.recipient === null ? {} : { to: row.recipient }),
    ...(row.kind === 'Erc721Transfer' ? {} : { amount: row.value }),
    ...(row.token_id === null ? {} : { tokenId: row.token_id }),
    asset: row.contract ?? 'Native',
    ...(said.symbol === undefined ? {} : { symbol: said.symbol }),
    ...(said.decimals === undefined ? {} : { decimals: String(said.decimals) }),
    ...(row.fee === null ? {} : { fee: row.fee, ...fee }),
    txHash: row.hash ?? '',
  }
}

function tooMany(rowsMax: number): Failure<'body.malformed'> {
  const message = `has more than ${rowsMax} movements: choose a shorter time`
  return new Failure('body.malformed', { issues: [{ path: 'query.startTime', message }] })
}
