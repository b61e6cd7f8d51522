import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createTestDatabase, type TestDatabase } from '@quorate/scripts/test-database'
import { sql } from 'kysely'
import { type Database, inTransaction, openDatabase } from '../database/database.ts'
import { migrate, readMigrations } from '../database/migrate.ts'
import type { HistoryRow } from '../history/entity.ts'
import { rowByBalance } from '../history/record.ts'
import { addWallet, network } from '../history/testing/payments.ts'
import type { WalletRow } from '../wallets/find.ts'
import { listCandidates, noteTokens } from './candidates.ts'

const [gold, silver] = [`0x${'11'.repeat(20)}`, `0x${'22'.repeat(20)}`] as const
const raising = '0207-moved-tokens.sql'

describe('what a wallet may hold', () => {
  let home: TestDatabase
  let database: Database
  let wallet: WalletRow
  before(async () => {
    home = await createTestDatabase()
    database = openDatabase(home.url, () => undefined)
    await migrate(
      database,
      readMigrations().filter(({ name }) => name !== raising),
    )
    wallet = await addWallet(database)
  })
  after(async () => {
    await database.destroy()
    await home.drop()
  })

  it('is in the order in which it moved last, also where earlier blocks are read afterwards', async () => {
    await note([moved(silver, 8), moved(gold, 9), moved(gold, 5)])
    assert.deepEqual(await listed(), [gold, silver])
    await note([moved(gold, 4)])
    assert.deepEqual(await listed(), [gold, silver])
    await note([moved(silver, 10)])
    assert.deepEqual(await listed(), [silver, gold])
  })

  it('is brought back to that order where earlier blocks had changed it', async () => {
    const rows = [moved(silver, 10), moved(gold, 4), moved(gold, 11)]
    await database.insertInto('history').values(rows).execute()
    await database.updateTable('wallet_tokens').set({ block_number: 3 }).execute()
    await sql`insert into chain_heads (network, lease_holder, lease_until, lease_count, read_from)
      values (${network}, '', 0, 0, 2)`.execute(database)
    await migrate(database)
    assert.deepEqual(await listed(), [gold, silver])
  })

  const note = (rows: readonly HistoryRow[]) =>
    inTransaction(database, (transaction) => noteTokens(transaction, rows))

  async function listed(): Promise<readonly string[]> {
    return (await listCandidates(database, wallet, ['Erc20'])).map(({ contract }) => contract)
  }

  function moved(contract: string, number: number): HistoryRow {
    const hash = `0x${contract.slice(2, 4)}${String(number).padStart(62, '0')}`
    const row = rowByBalance(wallet, { number, hash, time: 0 }, 1n)
    return { ...row, kind: 'Erc20Transfer', contract }
  }
})
