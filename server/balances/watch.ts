import { toHex } from '@quorate/core/bytes'
import { type RawBuilder, sql } from 'kysely'
import { findListed } from '../assets/listed.ts'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import type { HistoryRow } from '../history/entity.ts'
import type { ChainTables } from '../history/tables.ts'

export type BalanceRow = ChainTables['balances']
/** Which of them. */
export type BalanceKey = Pick<
  BalanceRow,
  'organization' | 'wallet' | 'kind' | 'contract' | 'token_id'
>
export type Place = { readonly number: number; readonly hash: string }

type Owner = {
  readonly organization: Uint8Array
  readonly id: Uint8Array
  readonly network: string
}

/** In the transaction that makes the wallet: its chain's follower finds it there. */
export async function watchWallet(
  transaction: DatabaseTransaction,
  { organization, id, network }: Owner,
): Promise<void> {
  const native = { kind: 'Native', contract: '', token_id: '' } as const
  const row = { ...unseen, organization, wallet: id, ...native, network, moved_number: 0 }
  await transaction
    .insertInto('balances')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Written in one statement. */
const rowsAtOnce = 10_000

/** Before every id. */
const none = new Uint8Array()

const unseen = {
  ...{ block_number: null, block_hash: null, balance: null },
  ...{ unexplained: '0', due_at: 0, attempts: 0, held: '0' },
}

/**
 * The addresses of a network's wallets, page by page; those that were made when nobody noted them
 * are noted by the way.
 */
export async function* watchAll(
  database: Database,
  network: string,
): AsyncGenerator<readonly string[]> {
  let past: Pick<Owner, 'organization' | 'id'> = { organization: none, id: none }
  for (;;) {
    const rows = await database
      .selectFrom('wallets')
      .select(['organization', 'id', 'address'])
      .where('network', '=', network)
      .where((eb) =>
        eb(eb.refTuple('organization', 'id'), '>', eb.tuple(past.organization, past.id)),
      )
      .orderBy('organization')
      .orderBy('id')
      .limit(rowsAtOnce)
      .execute()
    const last = rows.at(-1)
    if (last === undefined) return
    await sql`insert into balances
      select organization, id, 'Native', '', '', network, null, null, null, '0', 0, 0, 0, 0
      from wallets where network = ${network} and address is not null
        and (organization, id) > (${past.organization}, ${past.id})
        and (organization, id) <= (${last.organization}, ${last.id})
      on conflict do nothing`.execute(database)
    yield rows.flatMap(({ address }) => address ?? [])
    past = last
  }
}

/** As if they were new, as many as one statement takes. @returns whether there may be more */
export function openSomeAnew(transaction: DatabaseTransaction, network: string): Promise<boolean> {
  const anew = sql`block_number = null, block_hash = null, balance = null, due_at = 0, attempts = 0`
  return setSome(transaction, network, { where: sql`block_number is not null`, to: anew })
}

/** The next rows are held against the chain from this block on. @returns whose they are */
export async function openBalances(
  transaction: DatabaseTransaction,
  network: string,
  at: Place,
): Promise<readonly string[]> {
  const { rows } = await sql<{ readonly address: string | null }>`
    with unseen as (
      select organization, wallet, kind, contract, token_id from balances
      where network = ${network} and block_number is null limit ${rowsAtOnce}
    )
    update balances b set block_number = ${at.number}, block_hash = ${at.hash}
    from unseen u left join wallets w on w.organization = u.organization and w.id = u.wallet
    where b.organization = u.organization and b.wallet = u.wallet and b.kind = u.kind
      and b.contract = u.contract and b.token_id = u.token_id
    returning w.address`.execute(transaction)
  return rows.flatMap(({ address }) => address ?? [])
}

/** After a reorganization, from its last common block on. */
export async function setBalancesBack(
  transaction: DatabaseTransaction,
  network: string,
  { number, hash }: Place,
): Promise<void> {
  const where = sql`block_number > ${number}`
  const to = sql`block_number = ${number}, block_hash = ${hash},
    balance = null, due_at = 0, attempts = 0`
  while (await setSome(transaction, network, { where, to }));
}

/** @param change after which a row is no longer among those that it is for */
async function setSome(
  transaction: DatabaseTransaction,
  network: string,
  change: { readonly where: RawBuilder<unknown>; readonly to: RawBuilder<unknown> },
): Promise<boolean> {
  // By its place each row is found at once, however PostgreSQL judges what its names select.
  const { numAffectedRows } = await sql`update balances set ${change.to}
    where ctid = any(array(
      select ctid from balances where network = ${network} and ${change.where}
      limit ${rowsAtOnce} for update))`.execute(transaction)
  return numAffectedRows === BigInt(rowsAtOnce)
}

/**
 * Notes what has moved, in the transaction that writes it.
 * @param before a block that all of it is after
 */
export async function noteMovements(
  transaction: DatabaseTransaction,
  rows: readonly HistoryRow[],
  before: Place,
): Promise<void> {
  const noted = new Map<string, BalanceRow>()
  for (const row of rows) {
    const key = keyOf(row)
    const name = [toHex(key.organization), toHex(key.wallet), key.kind, key.contract, key.token_id]
    const moved_number = Math.max(row.block_number, noted.get(name.join())?.moved_number ?? 0)
    const opened = { block_number: before.number, block_hash: before.hash }
    noted.set(name.join(), { ...unseen, ...key, network: row.network, ...opened, moved_number })
  }
  if (noted.size === 0) return
  await transaction
    .insertInto('balances')
    .values([...noted.values()])
    .onConflict((conflict) =>
      conflict.columns(['organization', 'wallet', 'kind', 'contract', 'token_id']).doUpdateSet({
        moved_number: sql`greatest(balances.moved_number, excluded.moved_number)`,
      }),
    )
    .execute()
}

/**
 * In a block that could not be read, any token may have moved: they are compared there, at most so
 * many that nobody waits for the others, which have their day.
 */
export async function noteUnread(
  database: Database,
  network: string,
  number: number,
): Promise<void> {
  const contracts = (await findListed(database, network)).map(({ contract }) => contract)
  await sql`
    with those as (
      (select organization, wallet, kind, contract, token_id from balances
        where network = ${network} and contract = any(${contracts}::text[])
          and block_number < ${number} and moved_number < ${number} limit ${rowsAtOnce})
      union
      (select organization, wallet, kind, contract, token_id from balances
        where network = ${network} and kind <> 'Native'
          and block_number < ${number} and moved_number < ${number}
        order by due_at desc limit ${rowsAtOnce})
    )
    update balances b set moved_number = ${number} from those t
    where b.organization = t.organization and b.wallet = t.wallet and b.kind = t.kind
      and b.contract = t.contract and b.token_id = t.token_id`.execute(database)
}

/** Tokens of which earlier movements have become known: how much of them is unexplained has changed. */
export async function compareAnew(
  transaction: DatabaseTransaction,
  movements: readonly { readonly row: HistoryRow }[],
): Promise<void> {
  // A block may have tens of thousands, and its chain's lease is held meanwhile.
  const keys = new Map<string, BalanceKey>()
  for (const { row } of movements) {
    const key = keyOf(row)
    const { organization, wallet, kind, contract, token_id } = key
    const name = [toHex(organization), toHex(wallet), kind, contract, token_id].join()
    if (kind !== 'Native') keys.set(name, key)
  }
  const all = [...keys.values()]
  for (let i = 0; i < all.length; i += rowsAtOnce)
    await setAnew(transaction, all.slice(i, i + rowsAtOnce))
}

async function setAnew(
  transaction: DatabaseTransaction,
  keys: readonly BalanceKey[],
): Promise<void> {
  await sql`update balances b set balance = null, due_at = 0, attempts = 0 from (
      select * from unnest(
        ${keys.map(({ organization }) => organization)}::bytea[],
        ${keys.map(({ wallet }) => wallet)}::bytea[],
        ${keys.map(({ kind }) => kind)}::text[],
        ${keys.map(({ contract }) => contract)}::text[],
        ${keys.map(({ token_id }) => token_id)}::text[]) k (organization, wallet, kind, contract, token_id)
    ) t
    where b.organization = t.organization and b.wallet = t.wallet and b.kind = t.kind
      and b.contract = t.contract and b.token_id = t.token_id`.execute(transaction)
}

function keyOf(row: HistoryRow): BalanceKey {
  const { organization, wallet, contract, token_id } = row
  const own = { organization, wallet, contract: contract ?? '', token_id: token_id ?? '' }
  switch (row.kind) {
    case 'NativeTransfer':
      return { ...own, kind: 'Native' }
    case 'Erc20Transfer':
      return { ...own, kind: 'Erc20' }
    case 'Erc721Transfer':
      return { ...own, kind: 'Erc721' }
    case 'Erc1155Transfer':
      return { ...own, kind: 'Erc1155' }
  }
}
