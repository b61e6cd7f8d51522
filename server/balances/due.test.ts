import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { createTestDatabase, type TestDatabase } from '@quorate/scripts/test-database'
import { sql } from 'kysely'
import { type Database, openDatabase } from '../database/database.ts'
import { migrate } from '../database/migrate.ts'
import { address, addWallet, network } from '../history/testing/payments.ts'
import { dueBalances } from './due.ts'

const [listed, strange] = [`0x${'11'.repeat(20)}`, `0x${'5a'.repeat(20)}`]
const at = { number: 9, hash: '0x09' }

describe('which balances are compared next', () => {
  let home: TestDatabase
  let database: Database
  before(async () => {
    home = await createTestDatabase()
    database = openDatabase(home.url, () => undefined)
    await migrate(database)
    await addWallet(database)
    await database
      .insertInto('listed_assets')
      .values({ network, contract: listed, kind: 'Erc1155', symbol: 'ONE', decimals: null })
      .execute()
  })
  beforeEach(async () => {
    await database.deleteFrom('balances').execute()
    await database.updateTable('listed_assets').set({ checked_at: 1 }).execute()
  })
  after(async () => {
    await database.destroy()
    await home.drop()
  })

  it('are all of them where they are few', async () => {
    await add(strange, { count: 3, movedAt: 5 })
    await add('', { movedAt: 5 })
    assert.deepEqual(await due(), { strange: 3, native: 1 })
  })

  it('are the native asset and what the operator vouches for before all that strangers send', async () => {
    await add(strange, { count: 1_000, movedAt: 5 })
    await add(listed, { movedAt: 7 })
    await add('', { movedAt: 8 })
    assert.deepEqual(await due(), { native: 1, listed: 1, strange: 14 })
    await database.updateTable('balances').set({ moved_number: 0 }).execute()
    await database
      .updateTable('balances')
      .set({ due_at: 5 })
      .where('contract', '<>', strange)
      .execute()
    assert.deepEqual(await due(), { native: 1, listed: 1, strange: 14 })
    await database.updateTable('listed_assets').set({ checked_at: null }).execute()
    assert.deepEqual((await due())['listed'], undefined, 'not before the contract has agreed')
  })

  it('are some of what has waited longest, however much is known', async () => {
    await add(listed, { count: 1_000, movedAt: 0, dueAt: 5 })
    await add(strange, { count: 1_000, movedAt: 0, dueAt: 4 })
    assert.deepEqual(await due(), { listed: 12, strange: 4 })
  })

  it('are none that has not moved since, or is not due, or moved in a block that may yet go', async () => {
    await add(strange, { count: 20, movedAt: 5, dueAt: 99 })
    await add('', { movedAt: 10, dueAt: 99 })
    await add(listed, { movedAt: 0, dueAt: 99 })
    assert.deepEqual(await due(), { strange: 16 })
  })

  async function due(): Promise<Readonly<Record<string, number>>> {
    const rows = await dueBalances(database, { id: network }, { at, now: 50, limit: 16 })
    const counts: Record<string, number> = {}
    for (const row of rows) {
      assert.deepEqual([row.address, row.block_number], [address, 1])
      const name = row.contract === '' ? 'native' : row.contract === listed ? 'listed' : 'strange'
      counts[name] = (counts[name] ?? 0) + 1
    }
    return counts
  }

  async function add(
    contract: string,
    { count = 1, movedAt, dueAt = 0 }: { count?: number; movedAt: number; dueAt?: number },
  ): Promise<void> {
    await sql`insert into balances
      select organization, id, ${contract === '' ? 'Native' : 'Erc1155'}, ${contract},
        case ${contract} when '' then '' else i::text end, network,
        1, '0x01', null, '0', ${movedAt}, ${dueAt}, 0, 0
      from wallets, generate_series(1, ${count}) i`.execute(database)
  }
})
