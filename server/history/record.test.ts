import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { TestDatabase } from '@quorate/scripts/test-database'
import { sql } from 'kysely'
import { type Database, inTransaction, openDatabase } from '../database/database.ts'
import { forbidMany } from '../database/testing/bites.ts'
import { createServerDatabase } from '../testing/database.ts'
import { setHistoryAside } from './record.ts'
import { addWallet, network } from './testing/payments.ts'

describe('movements of blocks that are gone', () => {
  let home: TestDatabase
  let database: Database
  before(async () => {
    home = await createServerDatabase()
    database = openDatabase(home.url, (error) => assert.fail(error))
    await addWallet(database)
  })
  after(async () => {
    await database.destroy()
    await home.drop()
  })

  it('stop counting in bites, however many a stranger has put into a block', async () => {
    await sql`insert into history (organization, wallet, id, network, block_hash, block_number, hash,
        index, kind, direction, sender, value, contract, token_id, time, canonical)
      select organization, id, int4send(i), network, case when i < 3 then '0x01' else '0x02' end, 2,
        '0xaa', 0, 'Erc1155Transfer', 'In', '0x5a', '1', '0x5a', i::text, 0, true
      from wallets, generate_series(1, 21000) i`.execute(database)
    await forbidMany(database, 'history', 10_000)
    await inTransaction(database, (transaction) =>
      setHistoryAside(transaction, { network, hashes: ['0x02', '0x03'] }),
    )
    const { rows } = await sql`select canonical, block_hash, count(*) from history
      group by 1, 2 order by 1`.execute(database)
    assert.deepEqual(rows, [
      { canonical: false, block_hash: '0x02', count: 20_998 },
      { canonical: true, block_hash: '0x01', count: 2 },
    ])
  })
})
