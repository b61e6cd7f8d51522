import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { TestDatabase } from '@quorate/scripts/test-database'
import { sql } from 'kysely'
import { type Database, inTransaction, openDatabase } from '../database/database.ts'
import { forbidMany } from '../database/testing/bites.ts'
import { addWallet, network } from '../history/testing/payments.ts'
import { createServerDatabase } from '../testing/database.ts'
import { openSomeAnew, setBalancesBack } from './watch.ts'

const many = 21_000

describe('balances of tokens that strangers have sent, however many', () => {
  let home: TestDatabase
  let database: Database
  before(async () => {
    home = await createServerDatabase()
    database = openDatabase(home.url, (error) => assert.fail(error))
    await addWallet(database)
    await forbidMany(database, 'balances', 10_000)
  })
  beforeEach(async () => {
    await sql`truncate balances`.execute(database)
    await sql`insert into balances
      select organization, id, 'Erc1155', '0x5a', i::text, network, 7, '0x07', '1', '0', 5, 9, 1, 1
      from wallets, generate_series(1, ${many}) i`.execute(database)
  })
  after(async () => {
    await database.destroy()
    await home.drop()
  })

  /** How many there are of each. */
  async function places() {
    const { rows } = await sql<{ block_hash: string | null; count: number }>`
      select block_number, block_hash, balance, due_at, attempts, count(*) from balances
      group by 1, 2, 3, 4, 5 order by 1`.execute(database)
    return rows
  }
  const asNew = { balance: null, due_at: 0, attempts: 0 }

  it('are set back by a reorganization in bites, and those before it stay', async () => {
    await sql`update balances set block_number = 3 where token_id = '8'`.execute(database)
    await inTransaction(database, (transaction) =>
      setBalancesBack(transaction, network, { number: 4, hash: '0x04' }),
    )
    assert.deepEqual(await places(), [
      ...[{ block_number: 3, block_hash: '0x07', balance: '1', due_at: 9, attempts: 1, count: 1 }],
      { block_number: 4, block_hash: '0x04', ...asNew, count: many - 1 },
    ])
  })

  it('are begun anew in bites, each in a transaction of its own', async () => {
    const bite = () => inTransaction(database, (some) => openSomeAnew(some, network))
    const left: boolean[] = []
    do left.push(await bite())
    while (left.at(-1))
    assert.deepEqual(left, [true, true, false])
    const unmet = { block_number: null, block_hash: null, ...asNew }
    assert.deepEqual(await places(), [{ ...unmet, count: many }])
  })
})
