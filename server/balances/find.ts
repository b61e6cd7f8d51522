import { cutPage, positionOf } from '@quorate/api/page'
import { fromHex, toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { sql, type SelectQueryBuilder } from 'kysely'
import type { Caller } from '../auth/caller.ts'
import type { Chains } from '../chain/chains.ts'
import type { Database } from '../database/database.ts'
import { findTokenWords, type TokenWordsByContract } from '../history/tokens.ts'
import type { BalanceKey } from './watch.ts'

type Query = {
  readonly limit: number
  readonly paginationToken?: string | undefined
  readonly network?: string | undefined
}
type Asset = Pick<BalanceKey, 'kind' | 'contract' | 'token_id'> & { readonly network: string }

export type BalanceDeps = { readonly database: Database; readonly chains: Pick<Chains, 'named'> }

/** Of all wallets, in the order of their ids: what there is none of is left out. */
export async function listBalances(
  { database, chains }: BalanceDeps,
  { organization }: Pick<Caller, 'organization'>,
  query: Query,
) {
  const past = positionIn(query, /^([0-9a-f]{64}),(\w+),(\w*),(\d*)$/)
  const found = await database
    .selectFrom('balances')
    .selectAll()
    .where('organization', '=', organization)
    // In words that the index has.
    .where(sql<boolean>`held <> 0`)
    .$call(inOrderFrom(query, 'wallet', past && { ...past, first: fromHex(past.first) }))
    .execute()
  const about = await assetsOf({ database, chains }, found)
  const names = await walletNames(database, organization, found)
  const page = cutPage(found, query.limit, ({ wallet, kind, contract, token_id }) =>
    [toHex(wallet), kind, contract, token_id].join(),
  )
  const items = page.items.map((row) => ({
    walletId: names.get(toHex(row.wallet)) ?? '',
    ...about(row),
    balance: row.held,
    ...(row.unexplained === '0' ? {} : { unexplained: row.unexplained }),
    ...(row.balance === row.held && row.block_number !== null
      ? { blockNumber: row.block_number }
      : {}),
  }))
  return { ...page, items }
}

/** For themselves: joined to the page, PostgreSQL may read all wallets before it as well. */
async function walletNames(
  database: Database,
  organization: Uint8Array,
  rows: readonly { readonly wallet: Uint8Array }[],
): Promise<ReadonlyMap<string, string>> {
  if (rows.length === 0) return new Map()
  const ids = new Map(rows.map(({ wallet }) => [toHex(wallet), wallet]))
  const wallets = await database
    .selectFrom('wallets')
    .select(['id', 'wallet_id'])
    .where('organization', '=', organization)
    .where('id', 'in', [...ids.values()])
    .execute()
  return new Map(wallets.map(({ id, wallet_id }) => [toHex(id), wallet_id]))
}

/** In the order of networks and contracts. */
export async function listTotals(
  { database, chains }: BalanceDeps,
  { organization }: Pick<Caller, 'organization'>,
  query: Query,
) {
  const found = await database
    .selectFrom('balance_totals')
    .selectAll()
    .where('organization', '=', organization)
    .where(sql<boolean>`amount <> 0`)
    .$call(inOrderFrom(query, 'network', positionIn(query, /^(\w+),(\w+),(\w*),(\d*)$/)))
    .execute()
  const about = await assetsOf({ database, chains }, found)
  const page = cutPage(found, query.limit, ({ network, kind, contract, token_id }) =>
    [network, kind, contract, token_id].join(),
  )
  const items = page.items.map((row) => ({
    ...about(row),
    ...{ balance: row.amount, count: row.wallets },
  }))
  return { ...page, items }
}

/** Where a list has come to: at a wallet or a network, and at one of the assets there. */
type Place<First> = {
  readonly first: First
  readonly kind: BalanceKey['kind']
  readonly contract: string
  readonly token: string
}

/** By this column and then by asset, from a place on, and one row more than a page holds. */
function inOrderFrom<First>(
  { limit, network }: Query,
  column: 'wallet' | 'network',
  past: Place<First> | undefined,
) {
  const by = [column, 'kind', 'contract', 'token_id'].map((name) => sql.ref(name))
  return <DB, TB extends keyof DB, Row>(rows: SelectQueryBuilder<DB, TB, Row>) => {
    let rest = rows
    if (network !== undefined) rest = rest.where(sql<boolean>`network = ${network}`)
    if (past !== undefined) {
      const { first, kind, contract, token } = past
      rest = rest.where(
        sql<boolean>`(${sql.join(by)}) > (${sql.join([first, kind, contract, token])})`,
      )
    }
    return by.reduce((ordered, name) => ordered.orderBy(name), rest).limit(limit + 1)
  }
}

/** @throws Failure `body.malformed` for what this list has not given out */
function positionIn({ paginationToken }: Query, form: RegExp): Place<string> | undefined {
  if (paginationToken === undefined) return undefined
  const found = form.exec(positionOf(paginationToken))
  if (found !== null) {
    const [, first = '', kind, contract = '', token = ''] = found
    return { first, kind: kindOf(kind), contract, token }
  }
  const issues = [{ path: 'query.paginationToken', message: 'not a token of this list' }]
  throw new Failure('body.malformed', { issues })
}

const kinds = ['Native', 'Erc20', 'Erc721', 'Erc1155'] as const

/** One that no list gives out is after all of them. */
function kindOf(text: string | undefined): BalanceKey['kind'] {
  return kinds.find((kind) => kind === text) ?? 'Native'
}

async function assetsOf({ database, chains: { named } }: BalanceDeps, rows: readonly Asset[]) {
  const networks = [...new Set(rows.map(({ network }) => network))]
  const words = new Map<string, TokenWordsByContract>()
  for (const network of networks) {
    const contracts = rows.map((row) => (row.network === network ? row.contract || null : null))
    words.set(network, await findTokenWords(database, network, contracts))
  }
  return ({ network, kind, contract, token_id }: Asset) => {
    if (kind === 'Native') return { network, kind, ...named(network).nativeAsset, verified: true }
    const said = words.get(network)?.get(contract) ?? {}
    const piece = token_id === '' ? {} : { tokenId: token_id }
    return { network, kind, contract, ...piece, verified: false, ...said }
  }
}
