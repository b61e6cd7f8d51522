import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { TestDatabase } from '@quorate/scripts/test-database'
import { sql } from 'kysely'
import { type Database, openDatabase } from '../database/database.ts'
import { rowsRead } from '../database/testing/rows-read.ts'
import { addWallet, network, organization } from '../history/testing/payments.ts'
import { createServerDatabase } from '../testing/database.ts'
import type { WalletRow } from '../wallets/find.ts'
import { netOf } from './net.ts'

const contract = '0x5a'
const pieces = 20_000

describe('what has come and gone of one piece', () => {
  let home: TestDatabase
  let database: Database
  let wallet: WalletRow
  before(async () => {
    home = await createServerDatabase()
    database = openDatabase(home.url, (error) => assert.fail(error))
    wallet = await addWallet(database)
    // All of them in one block, as one transfer of a batch has them.
    await sql`insert into history (organization, wallet, id, network, block_hash, block_number, hash,
        index, kind, direction, sender, value, contract, token_id, time, canonical)
      select organization, id, int4send(i), network, '0x02', 2, '0xaa', 0, 'Erc1155Transfer', 'In',
        '0x5a', '3', ${contract}, i::text, 0, true
      from wallets, generate_series(1, ${pieces}::int) i`.execute(database)
    await sql`insert into history (organization, wallet, id, network, block_hash, block_number, hash,
        index, kind, direction, sender, value, contract, token_id, time, canonical)
      select organization, id, int4send(-1), network, '0x03', 3, '0xaa', 0, 'Erc1155Transfer', 'Out',
        '0x5a', '1', ${contract}, '77', 0, true from wallets`.execute(database)
    await sql`analyze history`.execute(database)
  })
  after(async () => {
    await database.destroy()
    await home.drop()
  })

  it('is found without reading the others, however many a stranger has sent', async () => {
    const key = { organization, wallet: wallet.id, kind: 'Erc1155', contract } as const
    const read = await rowsRead(database, 'history', async (some) => {
      const sum = (token_id: string, upTo: number) =>
        netOf(some, { ...key, token_id }, { after: -1, upTo })
      assert.deepEqual([await sum('77', 9), await sum('77', 2), await sum('78', 9)], [2n, 3n, 3n])
    })
    assert.ok(read <= 10, `${read} of ${pieces} were read`)
    assert.equal(wallet.network, network)
  })
})
