import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createTestDatabase, type TestDatabase } from '@quorate/scripts/test-database'
import type { KyselyPlugin } from 'kysely'
import { type Database, inTransaction, openDatabase } from '../database/database.ts'
import { migrate } from '../database/migrate.ts'
import type { HistoryRow } from '../history/entity.ts'
import { rowByBalance } from '../history/record.ts'
import { addWallet } from '../history/testing/payments.ts'
import type { WalletRow } from '../wallets/find.ts'
import { compareAnew, noteMovements } from './watch.ts'

const count = 1_000

describe('balances of tokens of which earlier movements become known', () => {
  let home: TestDatabase
  let database: Database
  let wallet: WalletRow
  before(async () => {
    home = await createTestDatabase()
    database = openDatabase(home.url, () => undefined)
    await migrate(database)
    wallet = await addWallet(database)
  })
  after(async () => {
    await database.destroy()
    await home.drop()
  })

  it('are compared anew, and no others, by one statement for all of a block', async () => {
    const ids = Array.from({ length: count }, (_, i) => String(i))
    const [known, other] = [ids.map((id) => moved(id)), moved('other')]
    const before = { number: 1, hash: '0x01' }
    await inTransaction(database, (transaction) =>
      noteMovements(transaction, [...known, other, rowOf()], before),
    )
    await database.updateTable('balances').set({ balance: '5', due_at: 9, attempts: 1 }).execute()
    const statements: unknown[] = []
    const counting = database.withPlugin(noting(statements))
    const twice = [...known, ...known, rowOf()].map((row) => ({ row }))
    await inTransaction(counting, (transaction) => compareAnew(transaction, twice))
    assert.equal(statements.length, 1)
    const rows = await database.selectFrom('balances').selectAll().execute()
    const isAnew = (row: (typeof rows)[number]) =>
      row.balance === null && row.due_at === 0 && row.attempts === 0
    const anew = rows.filter(isAnew).map(({ token_id }) => token_id)
    assert.deepEqual(anew.toSorted(), ids.toSorted())
    assert.equal(rows.length, count + 2)
  })

  function rowOf(): HistoryRow {
    return rowByBalance(wallet, { number: 2, hash: `0x${'02'.repeat(32)}`, time: 0 }, 1n)
  }

  function moved(token_id: string): HistoryRow {
    return { ...rowOf(), kind: 'Erc1155Transfer', contract: `0x${'11'.repeat(20)}`, token_id }
  }
})

function noting(statements: unknown[]): KyselyPlugin {
  return {
    transformQuery: ({ node }) => {
      statements.push(node)
      return node
    },
    transformResult: async ({ result }) => result,
  }
}
