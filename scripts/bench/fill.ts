import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { BenchPlatform } from './platform.ts'

export type Filled = {
  /** Which all transfers and all of history are of. */
  readonly walletId: string
}

/** Two blocks confirm it; the follower of the chain looks once a second. */
const settledMsMax = 60_000

/**
 * One wallet, key, transfer and movement that the platform itself has made, copied many times with
 * ids, names and times of their own: rows are as wide as real ones, and the server reads them all.
 */
export async function fillLists(
  platform: BenchPlatform,
  database: pg.Client,
  rows: number,
): Promise<Filled> {
  const walletId = await payOnce(platform, database)
  const is = `wallet_id = '${walletId}'`
  const wallet = `(select id from wallets where ${is})`
  const time = `t.created_at - (${rows} - i) * 1000`
  const copies: readonly Copy[] = [
    {
      table: 'keys',
      where: `id = (select key from wallets where ${is})`,
      changes: { id: idOf('key'), key_id: nameOf('key'), created_at: time },
    },
    {
      table: 'wallets',
      where: is,
      changes: {
        ...{ id: idOf('wa'), wallet_id: nameOf('wa'), key: idOf('key'), created_at: time },
        address: `'0x' || substr(encode(${idOf('address')}, 'hex'), 1, 40)`,
      },
    },
    {
      table: 'outgoing',
      where: is,
      changes: {
        ...{ id: idOf('xfr'), name: nameOf('xfr'), request: idOf('request'), created_at: time },
        ...{ hash: hashOf('tx'), block_hash: hashOf('block') },
      },
    },
    {
      table: 'history',
      // What it was funded with has no transaction.
      where: `wallet = ${wallet} and hash is not null`,
      changes: {
        ...{ id: idOf('move'), hash: hashOf('tx'), block_hash: hashOf('block') },
        // Their blocks are none: who tells of what is settled would look for them again and again.
        told: 'true',
        // Evenly over the blocks there are: what is not yet settled would not be listed.
        block_number: `i * t.block_number / ${rows}`,
      },
    },
  ]
  for (const copy of copies) await fill(database, copy, rows)
  // Of the wallets above, with something in each, which the chain knows nothing of: never compared.
  const never = { due_at: '9000000000000000', moved_number: '0' }
  const one = { wallet: idOf('wa'), held: '1', balance: "'1'", ...never }
  await fill(database, { table: 'balances', where: `wallet = ${wallet}`, changes: one }, rows)
  await database.query('vacuum analyze')
  return { walletId }
}

/** A wallet that has paid once, and whose history says so. */
async function payOnce({ sdk, file }: BenchPlatform, database: pg.Client): Promise<string> {
  const { id: walletId, address = '' } = await sdk.wallets.createWallet({
    body: { network: 'EthereumSepolia' },
  })
  await fetch(file.devnet.EthereumSepolia.rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ jsonrpc: '2.0', id: 1, method: 'anvil_setBalance' },
      params: [address, `0x${(10n ** 18n).toString(16)}`],
    }),
  })
  const to = `0x${'77'.repeat(20)}`
  await sdk.wallets.transferAsset({ walletId, body: { kind: 'Native', to, amount: '1' } })
  const deadline = Date.now() + settledMsMax
  for (;;) {
    const { items } = await sdk.wallets.getWalletHistory({ walletId })
    const { rows } = await database.query(
      'select 1 from outgoing where wallet_id = $1 and due_at is null',
      [walletId],
    )
    if (items.some(({ txHash }) => txHash !== '') && rows.length > 0) return walletId
    if (Date.now() > deadline) throw new Error('A payment was not settled in time.')
    await sleep(200)
  }
}

const idOf = (kind: string) => `sha256(convert_to('${kind}' || i, 'UTF8'))`
const hashOf = (kind: string) => `'0x' || encode(${idOf(kind)}, 'hex')`

/** In the form of a name, so that whatever reads names can read it. */
function nameOf(prefix: string): string {
  const letters = `translate(md5('${prefix}' || i), '0189', 'ghij')`
  const part = (from: number, length: number) => `substr(${letters}, ${from}, ${length})`
  return `'${prefix}-' || ${part(1, 5)} || '-' || ${part(6, 5)} || '-' || ${part(11, 16)}`
}

type Copy = {
  readonly table: string
  /** One row; the first of them if several are. */
  readonly where: string
  /** Column and SQL, in which `i` counts and `t` is the row that is copied. */
  readonly changes: Readonly<Record<string, string>>
}

/** Indexes grow much faster afterwards than row by row: they are taken away and made again. */
async function fill(database: pg.Client, copy: Copy, rows: number): Promise<void> {
  const { table, where, changes } = copy
  await database.query("set synchronous_commit = off; set maintenance_work_mem = '256MB'")
  const restore = await dropIndexes(database, table)
  const columns = await columnsOf(database, table)
  const values = columns.map((column) => changes[column] ?? `t."${column}"`)
  await database.query(
    `insert into ${table} (${columns.map((column) => `"${column}"`).join(', ')})
     select ${values.join(', ')}
     from (select * from ${table} where ${where} limit 1) t, generate_series(1, ${rows}) i`,
  )
  for (const sql of restore) await database.query(sql)
}

async function columnsOf(database: pg.Client, table: string): Promise<string[]> {
  const { rows } = await database.query<{ column_name: string }>(
    'select column_name from information_schema.columns where table_name = $1',
    [table],
  )
  return rows.map(({ column_name }) => column_name)
}

/** @returns the SQL that brings them back, exactly as the migrations made them */
async function dropIndexes(database: pg.Client, table: string): Promise<string[]> {
  const constraints = await database.query<{ name: string; definition: string }>(
    `select conname as name, pg_get_constraintdef(oid) as definition
     from pg_constraint where conrelid = $1::regclass and contype = 'p'`,
    [table],
  )
  const indexes = await database.query<{ name: string; definition: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
     from pg_index where indrelid = $1::regclass and not indisprimary`,
    [table],
  )
  for (const { name } of constraints.rows)
    await database.query(`alter table ${table} drop constraint ${name}`)
  for (const { name } of indexes.rows) await database.query(`drop index ${name}`)
  return [
    ...constraints.rows.map(
      ({ name, definition }) => `alter table ${table} add constraint ${name} ${definition}`,
    ),
    ...indexes.rows.map(({ definition }) => definition),
  ]
}
